"""Using a key: its current key material, and checks of algorithm and Region."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KeySpec
from pytest_kmsmock._kms.call.operation import Call
from pytest_kmsmock._kms.crypto import Material
from pytest_kmsmock._kms.state.records import Key


def current_material(key: Key) -> Material:
    """Return the current key material of a key, whose state has been checked."""
    current = key.current
    assert current is not None, "the key's state was checked"
    assert current.secret is not None, "the key's state was checked"
    return current.secret.get()


def check_algorithm(key: Key, algorithm: str) -> None:
    """Check that a key supports an algorithm; its KeyUsage has been checked.

    Raises:
        KmsError: `InvalidKeyUsageException`.
    """
    if algorithm not in key.spec.usages[key.usage]:
        raise errors.ALGORITHM_NOT_FOR_SPEC(algorithm=algorithm, spec=key.spec.name)


def check_region(call: Call, spec: KeySpec) -> None:
    """Check that AWS has a key spec in the Region: SM2 is available in China only, ML-KEM outside of China.

    Raises:
        KmsError: `UnsupportedOperationException`.
    """
    if not spec.is_in(call.region.partition):
        raise errors.SPEC_NOT_IN_REGION(spec=spec.name)
