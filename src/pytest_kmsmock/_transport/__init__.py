"""Transports: how calls of botocore, `requests` and other processes reach the fake KMS."""
