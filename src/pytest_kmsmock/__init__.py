"""AWS KMS inside your test process: real cryptography, real key states, real policy decisions, no network.

`mock_kms` is the way in for decorators and scripts; tests use the fixtures `kms_mock` and `kms_client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .mock import mock_kms

if TYPE_CHECKING:
    from .console.key_policies import key_policy
    from .enclave import FakeEnclave
    from .errors import KmsHygieneError, KmsHygieneWarning, KmsMockError
    from .handle import KmsMock

__all__ = ["FakeEnclave", "KmsHygieneError", "KmsHygieneWarning", "KmsMock", "KmsMockError", "key_policy", "mock_kms"]

#: Public names whose modules are loaded when first used, so that importing the package costs next to nothing.
_LAZY = {
    "FakeEnclave": "enclave",
    "KmsHygieneError": "errors",
    "KmsHygieneWarning": "errors",
    "KmsMock": "handle",
    "KmsMockError": "errors",
    "key_policy": "console.key_policies",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
