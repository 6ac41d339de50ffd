"""AWS Backup: vaults under a KMS key.

Source: AWS Backup Developer Guide, "Encryption for backups in AWS Backup"
(https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html). Which permissions the caller needs is
documented; which calls are made, and code and message of refusals, are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DESCRIBE_KEY, Rule, Service, Step

_GRANTED = ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "RetireGrant")


def _made(request: Request) -> Iterable[Protected]:
    """Find the vault that has been created; `aws/backup` needs no permission of the caller."""
    key = request.params.get("EncryptionKeyArn")
    if not key:
        return ()
    protected = Protected(key, {}, request.region, account=request.account)
    return (granting(protected, f"backup.{request.region}.amazonaws.com", _GRANTED),)


def _delete(request: Request) -> None:
    request.api("DeleteBackupVault", BackupVaultName=request.params["BackupVaultName"])


SERVICE = Service(
    "backup",
    {"CreateBackupVault": Rule(after=(Step(_made, (DESCRIBE_KEY, CREATE_GRANT), rollback=_delete),))},
    ErrorMapping({}, otherwise=ErrorTemplate("InvalidParameterValueException")),
)
