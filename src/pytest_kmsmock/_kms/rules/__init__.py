"""Rules shared by operations: key states, creation, metadata, rotation, expiration, scheduled changes."""
