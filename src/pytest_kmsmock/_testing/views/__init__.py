"""Inspecting state: keys, ciphertexts, custom key stores."""
