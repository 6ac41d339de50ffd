"""Key material: one class per key family, based on `cryptography`.

`generate` and `load` return the `Material` of a key spec. `pytest_kmsmock._kms.api.key_specs` has the tables of key
specs; ciphertext blobs, key states and AWS's errors are in other packages. Mocks get their key material from
`pytest_kmsmock._kms.entropy.key_source`.
"""

from __future__ import annotations

import functools
import importlib
import os
from typing import TYPE_CHECKING, cast

from .base import (
    DecryptionFailed,
    InvalidMaterial,
    InvalidPeerKey,
    Material,
    MaterialError,
    Random,
    UnsupportedUse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kmsmock._kms.api.key_specs import Family, KeySpec

__all__ = [
    "FAMILIES",
    "DecryptionFailed",
    "InvalidMaterial",
    "InvalidPeerKey",
    "Material",
    "MaterialError",
    "Random",
    "UnsupportedUse",
    "generate",
    "load",
]

#: Key family, which is also the name of its module -> its class.
FAMILIES: Mapping[Family, str] = {
    "aes": "AesMaterial",
    "rsa": "RsaMaterial",
    "ec": "EcMaterial",
    "ed25519": "Ed25519Material",
    "ml_dsa": "MlDsaMaterial",
    "ml_kem": "MlKemMaterial",
    "hmac": "HmacMaterial",
    "sm2": "Sm2Material",
}


@functools.cache
def _class(family: Family) -> type[Material]:
    """Return the class of a family, imported on first use: tests only load the families of their keys."""
    module = importlib.import_module(f".{family}", __name__)
    return cast("type[Material]", getattr(module, FAMILIES[family]))


def generate(spec: KeySpec, random: Random = os.urandom) -> Material:
    """Generate new material for a key of ``spec``, deterministic for the bytes of ``random``.

    Raises:
        MissingExtra: the spec (or RSA with ``random``) needs a package that is not installed.
    """
    return _class(spec.family).generate(spec, random)


def load(spec: KeySpec, data: bytes) -> Material:
    """Load existing material: raw bytes for AES and HMAC, a PKCS#8 DER structure for private keys.

    Raises:
        InvalidMaterial: ``data`` is not valid material of ``spec``.
        MissingExtra: the spec needs a package that is not installed.
    """
    return _class(spec.family).load(spec, data)
