"""The HTTP endpoint for other processes and languages."""
