"""The whole state as a document, and back."""
