"""An application with two roles: one stores documents in an encrypted bucket, the other reads them."""

from __future__ import annotations

from typing import Any

import boto3


def s3() -> Any:
    """Return a client for S3."""
    return boto3.client("s3", region_name="eu-central-1")


def store(name: str, text: str) -> None:
    """Store a document; the bucket encrypts it by default."""
    s3().put_object(Bucket="documents", Key=name, Body=text.encode())


def read(name: str) -> str:
    """Read a document."""
    return s3().get_object(Bucket="documents", Key=name)["Body"].read().decode()
