"""Mathematics and encodings that `cryptography` does not offer."""
