"""KMS behind other services: the calls that S3, SQS, SNS and others make with a key on a caller's behalf.

Start reading in `table.py` (what is written down of a service) and `engine.py` (what is done with it). There is a
module per service; `catalog.py` lists them.
"""
