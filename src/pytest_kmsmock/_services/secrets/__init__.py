"""Services that keep secrets."""
