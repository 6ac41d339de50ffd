"""AWS KMS inside your test process: real cryptography, real key states, real policy decisions, no network.

`mock_kms` is the way in for decorators and scripts; tests use the fixtures `kms_mock` and `kms_client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kmsmock._mock.decorator import mock_kms

if TYPE_CHECKING:
    from pytest_kmsmock._mock.kms_mock import KmsMock
    from pytest_kmsmock._testing.policies.key_policy import key_policy

    from .enclave import FakeEnclave
    from .errors import KmsHygieneError, KmsHygieneWarning, KmsMockError

__all__ = ["FakeEnclave", "KmsHygieneError", "KmsHygieneWarning", "KmsMock", "KmsMockError", "key_policy", "mock_kms"]

#: Public names whose modules are loaded when first used, so that importing the package costs next to nothing.
_LAZY = {
    "FakeEnclave": "enclave",
    "KmsHygieneError": "errors",
    "KmsHygieneWarning": "errors",
    "KmsMock": "_mock.kms_mock",
    "KmsMockError": "errors",
    "key_policy": "_testing.policies.key_policy",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
