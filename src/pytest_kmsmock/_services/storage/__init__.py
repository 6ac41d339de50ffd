"""Services that store data under a key."""
