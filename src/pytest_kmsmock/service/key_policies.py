"""What AWS demands of a new key policy. Used by CreateKey, ReplicateKey and PutKeyPolicy.

See https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from . import errors
from .authorization.documents import MalformedPolicy
from .authorization.policy import compile_policy
from .operation import Call

MOST_BYTES = 32_768


def check_new_policy(call: Call) -> str | None:
    """Return the `Policy` of a request once it has been found fit to be a key policy; None if there is none.

    Raises:
        KmsError: `LimitExceededException` for more than 32,768 bytes, `MalformedPolicyDocumentException` for a document
            that is no key policy or that locks the caller out.
    """
    policy = call.get("Policy")
    if policy is None:
        return None
    text = str(policy)
    if len(text.encode()) > MOST_BYTES:
        raise errors.LIMIT_EXCEEDED(reason=f"The key policy document is longer than {MOST_BYTES} bytes.")
    try:
        compile_policy(text)
    except MalformedPolicy as malformed:
        raise errors.MALFORMED_POLICY(reason=str(malformed)) from None
    return text
