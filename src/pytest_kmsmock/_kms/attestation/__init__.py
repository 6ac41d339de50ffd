"""The `Recipient` parameter for Nitro Enclaves: attestation documents and `CiphertextForRecipient`."""
