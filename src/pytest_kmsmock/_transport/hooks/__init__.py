"""Hooks in this process: botocore, aiobotocore, `requests`."""
