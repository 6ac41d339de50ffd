"""What a call and an operation are, and eventual consistency between calls."""
