"""Amazon CloudWatch Logs: log groups under a KMS key.

Logs calls KMS as a service principal, so only the key policy applies; callers that read or write events need no
permission. Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html). Code and message: recorded from
AWS, 2024 to 2026. Which KMS operations are made when a key is associated is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._kms.api.arns import parse_arn, partition_of
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._moto.settings import logs as settings
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step, as_service


def _group(request: Request, name: str) -> Iterable[Protected]:
    """Return a log group that gets a key.

    Raises:
        ServiceError: the key is not named by an ARN; it is not found then (hashicorp/terraform-provider-aws#25258).
    """
    arn = f"arn:{partition_of(request.region)}:logs:{request.region}:{request.account}:log-group:{name}"
    key = request.params["kmsKeyId"]
    if parse_arn(key) is None:
        raise ServiceError(_NOT_ALLOWED.code, _NOT_ALLOWED.message.format(about=arn))
    source = (arn, request.account)
    return (Protected(key, {"aws:logs:arn": arn}, request.region, account=request.account, source=source),)


def _created(request: Request) -> Iterable[Protected]:
    """Find the log group that CreateLogGroup creates."""
    name = request.params["logGroupName"]
    if "kmsKeyId" not in request.params or settings.is_there(request.api, request.access_key, request.region, name):
        return ()
    return _group(request, name)


def _associated(request: Request) -> Iterable[Protected]:
    """Find the log group of AssociateKmsKey."""
    name = request.params.get("logGroupName")
    if name is None or not settings.is_there(request.api, request.access_key, request.region, name):
        return ()
    return _group(request, name)


def _logs(request: Request, protected: Protected) -> Caller:
    """Return the service principal of Logs in the Region."""
    return as_service(f"logs.{request.region}")(request, protected)


_NOT_ALLOWED = ErrorTemplate(
    "AccessDeniedException",
    "The specified KMS key does not exist or is not allowed to be used with Arn '{about}'",
)
_CHECKS = (GENERATE_DATA_KEY, DECRYPT)

SERVICE = Service(
    "logs",
    {
        "CreateLogGroup": Rule(before=(Step(_created, _CHECKS, who=_logs),)),
        "AssociateKmsKey": Rule(before=(Step(_associated, _CHECKS, who=_logs),)),
    },
    ErrorMapping(
        {"AccessDeniedException": _NOT_ALLOWED, "NotFoundException": _NOT_ALLOWED},
        otherwise=ErrorTemplate(
            "InvalidParameterException"
        ),  # the code is documented of disabled keys, the message inferred
    ),
)
