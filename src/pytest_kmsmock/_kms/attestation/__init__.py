"""Nitro Enclaves: attestation documents in, `CiphertextForRecipient` out."""
