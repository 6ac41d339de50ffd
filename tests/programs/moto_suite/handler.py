"""A Lambda function, with its clients at module level, as AWS recommends it."""

from __future__ import annotations

import base64
import os

import boto3

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
kms = boto3.client("kms")
s3 = boto3.client("s3")


def handler(event, context):
    """Decrypt a token and store it."""
    token = kms.decrypt(CiphertextBlob=base64.b64decode(event["token"]))["Plaintext"]
    s3.put_object(Bucket=event["bucket"], Key="token", Body=token)
    return {"statusCode": 200, "length": len(token)}
