"""Key policies: reading and replacing them.

See https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import in_given_order, paginate
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.permissions.policy_checks import check_new_policy

POLICY_NAME = "default"
_POLICIES_PER_PAGE = 100


@operation("GetKeyPolicy", targets=[key()])
def get_key_policy(call: Call) -> Result:
    """Return a key policy, in KMS's format.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
    """
    if call.params.get("PolicyName", POLICY_NAME) != POLICY_NAME:
        raise errors.POLICY_NOT_FOUND()
    return {"Policy": call.key.policy, "PolicyName": POLICY_NAME}


@operation("PutKeyPolicy", targets=[key()], customer_managed=True)
def put_key_policy(call: Call) -> Result:
    """Replace the key policy.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    name = call.params.get("PolicyName", POLICY_NAME)
    if name == "AWS_RAM":
        raise errors.RAM_POLICY()
    if name != POLICY_NAME:
        raise errors.ONE_POLICY_PER_KEY()
    call.state.change_key(call.key, policy=check_new_policy(call))
    return {}


@operation("ListKeyPolicies", targets=[key()])
def list_key_policies(call: Call) -> Result:
    """List the policy names of a key: always `default`.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html
    """
    return paginate(
        call, "PolicyNames", in_given_order([POLICY_NAME]), lambda name: name,
        default=_POLICIES_PER_PAGE, scope=call.key.id,
    )  # fmt: skip
