"""Amazon RDS and Aurora: instances, clusters and copies of snapshots under a KMS key.

Source: Amazon RDS User Guide, "AWS KMS key management"
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html). The encryption context is
documented, of snapshots inferred, the message recorded in 2019; which operations are granted is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT, Rule, Service, Step

_MANAGED_KEY = "alias/aws/rds"
_GRANTED = ("Decrypt", "Encrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "CreateGrant",
            "DescribeKey", "RetireGrant")  # fmt: skip


def _made(member: str, id_member: str) -> Callable[[Request], Iterable[Protected]]:
    def find(request: Request) -> Iterable[Protected]:
        """Find what has been created, if it has encrypted storage of its own."""
        made, params = request.answer[member], request.params
        if not made.get("StorageEncrypted") or (member == "DBInstance" and "DBClusterIdentifier" in params):
            return ()
        context = {"aws:rds:db-id": made[id_member]}
        key = params.get("KmsKeyId") or _MANAGED_KEY
        protected = Protected(key, context, request.region, account=request.account)
        return (granting(protected, f"rds.{request.region}.amazonaws.com", _GRANTED),)

    return find


def _copied(request: Request) -> Iterable[Protected]:
    """Find the snapshot that has been copied under a key of its own."""
    key, copy = request.params.get("KmsKeyId"), request.answer["DBSnapshot"]
    if not key:
        return ()
    protected = Protected(key, {"aws:rds:db-id": copy["DbiResourceId"]}, request.region, account=request.account)
    return (granting(protected, f"rds.{request.region}.amazonaws.com", _GRANTED),)


def _delete_copy(request: Request) -> None:
    request.api("DeleteDBSnapshot", DBSnapshotIdentifier=request.params["TargetDBSnapshotIdentifier"])


def _delete(kind: str) -> Callable[[Request], object]:
    def rollback(request: Request) -> None:
        """Delete what has been created, also if it is protected."""
        name = {f"{kind}Identifier": request.params[f"{kind}Identifier"]}
        if request.params.get("DeletionProtection"):
            request.api(f"Modify{kind}", **name, DeletionProtection=False)
        request.api(f"Delete{kind}", **name, SkipFinalSnapshot=True)

    return rollback


_KMS = (DESCRIBE_KEY, GENERATE_WITHOUT_PLAINTEXT, CREATE_GRANT)

SERVICE = Service(
    "rds",
    {
        "CreateDBInstance": Rule(
            after=(Step(_made("DBInstance", "DbiResourceId"), _KMS, rollback=_delete("DBInstance")),)
        ),
        "CreateDBCluster": Rule(
            after=(Step(_made("DBCluster", "DbClusterResourceId"), _KMS, rollback=_delete("DBCluster")),)
        ),
        "CopyDBSnapshot": Rule(after=(Step(_copied, _KMS, rollback=_delete_copy),)),
    },
    ErrorMapping(
        {},
        otherwise=ErrorTemplate(
            "KMSKeyNotAccessibleFault",
            "Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
        ),
    ),
)
