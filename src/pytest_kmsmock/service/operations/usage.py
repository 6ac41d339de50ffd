"""When a key was last used."""

from __future__ import annotations

import hashlib
import uuid

from ..operation import Call, Result, operation
from ..targets import key


@operation("GetKeyLastUsage", targets=[key()])
def get_key_last_usage(call: Call) -> Result:
    """Return the last successful cryptographic operation with a key; the mock has tracked it since its creation.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
    """
    usage = call.region.last_usage.get(call.key.id)
    return {
        "KeyId": call.key.id,
        "KeyLastUsage": {} if usage is None else {
            "Operation": usage.operation,
            "Timestamp": usage.time,
            "CloudTrailEventId": event_id(usage.request_id, call.key.account),
            "KmsRequestId": usage.request_id,
        },
        "TrackingStartDate": call.key.created,
        "KeyCreationDate": call.key.created,
    }  # fmt: skip


def event_id(request_id: str, account: str) -> str:
    """Return the id of the CloudTrail event of a request: one for each account that logs it."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{request_id} {account}".encode()).digest()[:16], version=4))
