"""Amazon EFS: file systems under a KMS key.

Source: Amazon EFS User Guide, "Encrypting data at rest"
(https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html). The encryption context is documented; which
operations are granted, and code and message of refusals, are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DESCRIBE_KEY, Rule, Service, Step

_GRANTED = ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "RetireGrant")


def _made(request: Request) -> Iterable[Protected]:
    """Find the file system that has been created."""
    if not request.params.get("Encrypted"):
        return ()
    context = {"aws:elasticfilesystem:filesystem:id": request.answer["FileSystemId"]}
    key = request.params.get("KmsKeyId") or "alias/aws/elasticfilesystem"
    protected = Protected(key, context, request.region, account=request.account)
    return (granting(protected, f"elasticfilesystem.{request.region}.amazonaws.com", _GRANTED),)


def _delete(request: Request) -> None:
    request.api("DeleteFileSystem", FileSystemId=request.answer["FileSystemId"])


SERVICE = Service(
    "elasticfilesystem",
    {"CreateFileSystem": Rule(after=(Step(_made, (DESCRIBE_KEY, CREATE_GRANT), rollback=_delete),))},
    ErrorMapping({}, otherwise=ErrorTemplate("BadRequest", members={"ErrorCode": "BadRequest"})),
)
