"""The HTTP endpoint for other processes."""
