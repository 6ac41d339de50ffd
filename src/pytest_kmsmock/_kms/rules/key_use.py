"""What every use of a key begins with: its material, and whether key and Region have what is asked for."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KeySpec
from pytest_kmsmock._kms.call.operation import Call
from pytest_kmsmock._kms.crypto import Material
from pytest_kmsmock._kms.state.records import Key


def secret_of(key: Key) -> Material:
    """Return the material that a key encrypts and signs with now; the key's state has been checked."""
    current = key.current
    assert current is not None, "the key's state was checked"
    assert current.secret is not None, "the key's state was checked"
    return current.secret.get()


def check_algorithm(key: Key, algorithm: str) -> None:
    """Refuse an algorithm that the key does not have; its KeyUsage has been checked.

    Raises:
        KmsError: `InvalidKeyUsageException`.
    """
    if algorithm not in key.spec.usages[key.usage]:
        raise errors.ALGORITHM_NOT_FOR_SPEC(algorithm=algorithm, spec=key.spec.name)


def check_region(call: Call, spec: KeySpec) -> None:
    """Refuse a key spec that AWS does not have in the Region called: SM2 is in China only, ML-KEM is not there.

    Raises:
        KmsError: `UnsupportedOperationException`.
    """
    if not spec.is_in(call.region.partition):
        raise errors.SPEC_NOT_IN_REGION(spec=spec.name)
