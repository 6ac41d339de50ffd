"""What holds for keys whichever operation asks: states, creation, metadata, rotation, expiry, what is due by time."""
