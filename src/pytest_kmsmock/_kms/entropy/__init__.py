"""Random bytes and key material."""
