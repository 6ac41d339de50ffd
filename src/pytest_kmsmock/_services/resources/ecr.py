"""Amazon ECR: repositories under a KMS key.

The caller of CreateRepository creates two grants for ECR, which uses the key by them; callers that push and pull need
no permission. Source: Amazon ECR User Guide, "Encryption at rest"
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html), with CloudTrail examples; that the
error names KMS's code is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting, retiring
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import (
    CREATE_GRANT,
    DESCRIBE_KEY,
    RETIRE_GRANT,
    Rule,
    Service,
    Step,
    as_service,
    unchanged,
)  # fmt: skip


def _repository(request: Request, key: str) -> Protected:
    name, region = request.params["repositoryName"], request.region
    arn = f"arn:{partition_of(region)}:ecr:{region}:{request.account}:repository/{name}"
    return Protected(key, {"aws:ecr:arn": arn}, region, (name,), request.account)


def _principal(request: Request) -> str:
    return f"ecr.{request.region}.amazonaws.com"


def _ecr(request: Request, protected: Protected) -> Caller:
    return as_service(f"ecr.{request.region}")(request, protected)


def _made(request: Request) -> Iterable[Protected]:
    """Find the repository that has been created."""
    wanted = request.params.get("encryptionConfiguration", {})
    if not wanted.get("encryptionType", "AES256").startswith("KMS"):
        return ()
    protected = _repository(request, wanted.get("kmsKey") or "alias/aws/ecr")
    return (granting(protected, _principal(request), ("GenerateDataKey", "Decrypt")),)


def _keep(request: Request, protected: Protected, data_key: DataKey) -> None:
    request.keep(protected.name, data_key)


def _delete(request: Request) -> None:
    request.api("DeleteRepository", repositoryName=request.params["repositoryName"], force=True)


def _retired(request: Request) -> Iterator[Protected]:
    """Find the grants of the repository that has been deleted."""
    data_key = request.kept((request.params["repositoryName"],))
    if data_key is not None:
        yield from retiring(request, _repository(request, data_key.arn), _principal(request))


SERVICE = Service(
    "ecr",
    {
        "CreateRepository": Rule(
            after=(Step(_made, (DESCRIBE_KEY, CREATE_GRANT, CREATE_GRANT), then=_keep, rollback=_delete),)
        ),
        "DeleteRepository": Rule(after=(Step(_retired, (RETIRE_GRANT,), who=_ecr, on_error=unchanged),)),
    },
    ErrorMapping({}, otherwise=ErrorTemplate("KmsException", members={"kmsError": "{code}"})),
)
