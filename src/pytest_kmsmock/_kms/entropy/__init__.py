"""Where random bytes and key material come from."""
