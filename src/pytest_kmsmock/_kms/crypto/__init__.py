"""Key material: one class for each key family, over `cryptography`.

`generate` and `load` give the material of a key spec; what it can do then is in `Material`. What a spec
allows is data in `pytest_kmsmock._kms.api.key_specs`; ciphertext blobs, states and AWS's errors are for the layers
above. A mock draws its material through `pytest_kmsmock._kms.entropy.key_source`.
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

#: The class of each key family, in the module that is named as the family.
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
    """Return the class of a family, imported when it is first used: a test pays for the families of its keys only."""
    module = importlib.import_module(f".{family}", __name__)
    return cast("type[Material]", getattr(module, FAMILIES[family]))


def generate(spec: KeySpec, random: Random = os.urandom) -> Material:
    """Make new material for a key of ``spec``, as a function of the bytes that ``random`` gives.

    Raises:
        MissingExtra: the spec (or RSA from bytes of one's own) needs a package that is not installed.
    """
    return _class(spec.family).generate(spec, random)


def load(spec: KeySpec, data: bytes) -> Material:
    """Take existing material: raw bytes for AES and HMAC, a PKCS#8 DER structure for private keys.

    Raises:
        InvalidMaterial: ``data`` is no material of ``spec``.
        MissingExtra: the spec needs a package that is not installed.
    """
    return _class(spec.family).load(spec, data)
