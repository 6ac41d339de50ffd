"""Byte formats: ciphertext blobs, import tokens, wrapped keys, double encryption of external key stores."""
