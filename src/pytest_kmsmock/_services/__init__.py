"""KMS behind other services: the calls that S3, SQS, SNS and others make with a key on a caller's behalf.

Start with `table.py` (the data that describes a service) and `engine.py` (what executes it). There is a module per
service; `catalog.py` loads them.
"""
