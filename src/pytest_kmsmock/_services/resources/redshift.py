"""Amazon Redshift: clusters under a KMS key.

Source: Amazon Redshift Management Guide, "Amazon Redshift database encryption"
(https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-db-encryption.html). The encryption context is
documented, all else inferred; codes are those of the service model.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting
from pytest_kmsmock._services.protected import Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DESCRIBE_KEY, GENERATE_DATA_KEY, Rule, Service, Step

_GRANTED = ("Decrypt", "DescribeKey", "GenerateDataKey", "RetireGrant")


def _made(request: Request) -> Iterable[Protected]:
    """Find the cluster that has been created."""
    params, region = request.params, request.region
    if not params.get("Encrypted"):
        return ()
    arn = f"arn:{partition_of(region)}:redshift:{region}:{request.account}:cluster:{params['ClusterIdentifier']}"
    now = request.mock.service.clock.now()
    context = {"aws:redshift:arn": arn, "aws:redshift:createtime": f"{now:%Y%m%dT%H%MZ}"}
    key = params.get("KmsKeyId") or "alias/aws/redshift"
    protected = Protected(key, context, region, account=request.account)
    return (granting(protected, f"redshift.{region}.amazonaws.com", _GRANTED),)


def _delete(request: Request) -> None:
    name = request.params["ClusterIdentifier"]
    request.api("DeleteCluster", ClusterIdentifier=name, SkipFinalClusterSnapshot=True)


SERVICE = Service(
    "redshift",
    {"CreateCluster": Rule(after=(Step(_made, (DESCRIBE_KEY, GENERATE_DATA_KEY, CREATE_GRANT), rollback=_delete),))},
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("DependentServiceAccessDenied", status=403),
            "LimitExceededException": ErrorTemplate("LimitExceededFault"),
            "ThrottlingException": ErrorTemplate("DependentServiceRequestThrottlingFault"),
        },
        otherwise=ErrorTemplate("InvalidParameterValue"),
    ),
)
