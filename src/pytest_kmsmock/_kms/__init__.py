"""The fake KMS, independent of pytest, HTTP and botocore clients.

Start reading at `engine.pipeline.perform`, the path of one call.
"""
