"""Interception in this process: botocore, aiobotocore, `requests`."""
