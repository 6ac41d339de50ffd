"""The fake KMS: pure Python, no pytest, no HTTP, no botocore client.

`pipeline.perform` is the path of one call and the place to start reading.
"""
