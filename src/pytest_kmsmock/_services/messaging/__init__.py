"""Services that hand messages on."""
