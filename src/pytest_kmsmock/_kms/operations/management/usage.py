"""When a key was last used."""

from __future__ import annotations

from pytest_kmsmock._kms.api.arns import event_id
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.targets import key


@operation("GetKeyLastUsage", targets=[key()])
def get_key_last_usage(call: Call) -> Result:
    """Return the last successful cryptographic operation with a key, tracked since its creation.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
    """
    usage = call.region.last_usage.get(call.key.id)
    return {
        "KeyId": call.key.id,
        "KeyLastUsage": {} if usage is None else {
            "Operation": usage.operation,
            "Timestamp": usage.time,
            "CloudTrailEventId": event_id(
                usage.request_id, usage.operation, call.region.name, call.key.account
            ),
            "KmsRequestId": usage.request_id,
        },
        "TrackingStartDate": call.key.created,
        "KeyCreationDate": call.key.created,
    }  # fmt: skip
