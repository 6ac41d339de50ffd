"""AWS KMS inside your test process: real cryptography, real key states, real policy decisions, no network.

`mock_kms` is a decorator and a context manager; tests use the fixtures `kms_mock` and `kms_client`. Everything here is
public, with `pytest_kmsmock.errors` and `pytest_kmsmock.enclave`; what begins with an underscore is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._mock.decorator import mock_kms

if TYPE_CHECKING:
    from ._iac.diff import PolicyDiff
    from ._kms.engine.call_record import CallRecord
    from ._kms.policy.decision import Decision
    from ._kms.state.backing_key_stores import Cluster, XksKey, XksProxy
    from ._kms.state.caller import Caller
    from ._kms.state.clock import Clock
    from ._kms.state.delays import Delays
    from ._mock.decorator import MockKms
    from ._mock.kms_mock import KmsMock
    from ._runtime.options import Options
    from ._testing.calls.call_list import Calls
    from ._testing.faults.faults import Fault, Faults
    from ._testing.faults.request_quotas import RequestQuotas
    from ._testing.identity.credentials import Credentials
    from ._testing.identity.iam_console import IamConsole
    from ._testing.identity.request_context import RequestContext
    from ._testing.policies.explanation import Explanation
    from ._testing.policies.key_policy import key_policy
    from ._testing.policies.least_privilege import LeastPrivilege
    from ._testing.views.key_store_console import KeyStores
    from ._testing.views.key_view import Decrypted, Keys, KeyView
    from ._transport.endpoint.server import KmsServer
    from .enclave import FakeEnclave
    from .errors import KmsHygieneError, KmsHygieneWarning, KmsMockError

    __version__: str

#: Public names and their modules, which are loaded when first used: importing the package costs next to nothing.
_LAZY = {
    "CallRecord": "_kms.engine.call_record",
    "Caller": "_kms.state.caller",
    "Calls": "_testing.calls.call_list",
    "Clock": "_kms.state.clock",
    "Cluster": "_kms.state.backing_key_stores",
    "Credentials": "_testing.identity.credentials",
    "Decision": "_kms.policy.decision",
    "Decrypted": "_testing.views.key_view",
    "Delays": "_kms.state.delays",
    "Explanation": "_testing.policies.explanation",
    "FakeEnclave": "enclave",
    "Fault": "_testing.faults.faults",
    "Faults": "_testing.faults.faults",
    "IamConsole": "_testing.identity.iam_console",
    "KeyStores": "_testing.views.key_store_console",
    "KeyView": "_testing.views.key_view",
    "Keys": "_testing.views.key_view",
    "KmsHygieneError": "errors",
    "KmsHygieneWarning": "errors",
    "KmsMock": "_mock.kms_mock",
    "KmsMockError": "errors",
    "KmsServer": "_transport.endpoint.server",
    "LeastPrivilege": "_testing.policies.least_privilege",
    "MockKms": "_mock.decorator",
    "Options": "_runtime.options",
    "PolicyDiff": "_iac.diff",
    "RequestContext": "_testing.identity.request_context",
    "RequestQuotas": "_testing.faults.request_quotas",
    "XksKey": "_kms.state.backing_key_stores",
    "XksProxy": "_kms.state.backing_key_stores",
    "key_policy": "_testing.policies.key_policy",
}

__all__ = [
    "CallRecord",
    "Caller",
    "Calls",
    "Clock",
    "Cluster",
    "Credentials",
    "Decision",
    "Decrypted",
    "Delays",
    "Explanation",
    "FakeEnclave",
    "Fault",
    "Faults",
    "IamConsole",
    "KeyStores",
    "KeyView",
    "Keys",
    "KmsHygieneError",
    "KmsHygieneWarning",
    "KmsMock",
    "KmsMockError",
    "KmsServer",
    "LeastPrivilege",
    "MockKms",
    "Options",
    "PolicyDiff",
    "RequestContext",
    "RequestQuotas",
    "XksKey",
    "XksProxy",
    "__version__",
    "key_policy",
    "mock_kms",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("pytest-kmsmock")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
