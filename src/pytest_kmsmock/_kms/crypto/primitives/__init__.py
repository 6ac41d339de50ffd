"""Cryptographic primitives and encodings that `cryptography` does not have."""
