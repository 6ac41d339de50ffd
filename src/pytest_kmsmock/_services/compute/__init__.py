"""Services that run code."""
