"""GenerateRandom."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors, key_store_errors
from pytest_kmsmock._kms.attestation.recipient import for_recipient, read_recipient
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.targets import any_resource
from pytest_kmsmock._kms.rules.custom_key_stores import CLOUDHSM, CONNECTED, connection_problem, find_store


@operation("GenerateRandom", targets=[any_resource()])
def generate_random(call: Call) -> Result:
    """Return 1 to 1,024 random bytes.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html
    """
    recipient = read_recipient(call)
    store = call.params.get("CustomKeyStoreId")
    if store is not None:
        _check_store(call, store)
    count = call.params.get("NumberOfBytes")
    if count is None:
        raise errors.NUMBER_OF_BYTES()
    plaintext = call.random(count)
    return {"Plaintext": plaintext} if recipient is None else for_recipient(recipient, plaintext)


def _check_store(call: Call, store_id: str) -> None:
    """Check for a connected CloudHSM key store with a working cluster; external key stores have no random bytes."""
    store = find_store(call.region, store_id)
    if store.type != CLOUDHSM:
        raise errors.UNSUPPORTED_WITHOUT_MESSAGE()
    if store.state != CONNECTED:
        raise key_store_errors.STORE_STATE(reason=f"The custom key store {store_id} is not connected.")
    problem = connection_problem(store, call.state.outside)
    if problem is not None:
        raise key_store_errors.STORE_STATE(reason=problem.message)
