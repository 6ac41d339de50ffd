"""Errors that are for the author of a test, not AWS's: what happened, and what to do about it.

AWS's own errors reach a test through its client, as `ClientError`.
"""

from __future__ import annotations


class KmsMockError(Exception):
    """Base class of the errors of this package: a test uses it wrongly, or it cannot do what was asked for."""


class MissingExtra(KmsMockError):
    """A call needs an optional dependency that is not installed.

    Args:
        feature: what was asked for, in AWS's words, such as ``ML_KEM_512``.
        package: the distribution that provides it.
        extra: the extra of pytest-kmsmock that brings it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed: pip install 'pytest-kmsmock[{extra}]'"
        )
        self.feature = feature
        self.package = package
        self.extra = extra


class InvalidArgument(KmsMockError, TypeError):
    """A function has no argument of this name, or takes it by name only."""


class InvalidOption(KmsMockError, ValueError):
    """An option of the mock has a wrong name or value."""


class InvalidPrincipal(KmsMockError, ValueError):
    """A principal is written in a form that AWS does not know."""


class InvalidPolicy(KmsMockError, ValueError):
    """AWS would refuse this policy, or it cannot be detached because it is not attached."""


class InvalidSimulation(KmsMockError, ValueError):
    """A simulation names a permission, key, alias, grant or parameter that does not exist."""


class NoSuchCall(KmsMockError, LookupError):
    """No call of this mock had the error that was to be explained."""


class InvalidCallPattern(KmsMockError, ValueError):
    """A filter, assertion or fault names an operation or a parameter that does not exist: no call could match."""


class InvalidFault(KmsMockError, ValueError):
    """A fault has a wrong name or value."""


class UnknownQuota(KmsMockError, ValueError):
    """A request quota has a wrong name or value."""


class UnusedFaults(KmsMockError, AssertionError):
    """Faults were added that never fired, and the test asked for a check, or the option `unused_faults` is `error`."""


class UnusedFaultsWarning(UserWarning):
    """Faults were added that never fired, and the option `unused_faults` is `warn`."""


class KmsHygieneWarning(UserWarning):
    """A hygiene check found something, and the option `hygiene` is `warn`."""


class KmsHygieneError(KmsMockError, AssertionError):
    """Hygiene checks found something, and the option `hygiene` is `error`."""


class NotActive(KmsMockError):
    """A handle or a client was used outside its mock, or a mock was stopped that is not running."""


class MockNotStopped(KmsMockError):
    """A test or a fixture started a mock and did not stop it."""

    def __init__(self, starter: str) -> None:
        super().__init__(
            f"{starter} started a KMS mock and did not stop it. It is stopped now, and later tests do not see it.\n"
            "Use `with mock_kms():`, the decorator or the fixture kms_mock, or call stop() in a finalizer."
        )
        self.starter = starter


class RealKmsCall(KmsMockError):
    """A KMS call outside a mock was about to leave the process, and `kms_mock_block_real_calls` forbids it."""

    def __init__(self, operation: str, place: str, advice: str) -> None:
        super().__init__(
            f"{place} called KMS {operation} outside a mock, and kms_mock_block_real_calls is on.\n{advice}\n"
            "To let this test reach AWS, mark it with @pytest.mark.kms_allow_real_calls."
        )
        self.operation = operation
        self.place = place


class RealKmsConnection(KmsMockError):
    """An HTTP library that no mock answers was about to connect to a KMS endpoint of AWS."""


class InvalidSeed(KmsMockError, ValueError):
    """A key cannot be seeded: a wrong value, a bad seed file, or a request that AWS would refuse."""


class StateFileInUse(KmsMockError):
    """Another `pytest-kmsmock serve` keeps its state in the same file. Two would lose each other's changes."""


class InvalidScenario(KmsMockError, ValueError):
    """A conformance scenario is not of the form that `docs/conformance.md` describes; the message says where."""


class TargetUnreachable(KmsMockError):
    """What conformance scenarios were to run against does not answer, or there are no credentials for it."""


class InvalidDump(KmsMockError, ValueError):
    """This release cannot load the document as a dump. The mock is as it was."""


class UnknownKey(KmsMockError, KeyError):
    """A look-up in `kms_mock.keys` found nothing."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes


class UnknownPrincipal(KmsMockError, KeyError):
    """`least_privilege()` has no policy for a principal."""

    __str__ = Exception.__str__


class CannotDecrypt(KmsMockError, ValueError):
    """`kms_mock.decrypt` cannot decrypt: no key of the mock fits, or the encryption context is unknown."""


class InvalidBacking(KmsMockError, ValueError):
    """A cluster, a proxy, an external key or a custom key store has a wrong value."""


class UnknownBacking(KmsMockError, LookupError):
    """A cluster, a proxy or an external key does not exist: it was removed, or added in another mock."""

    def __init__(self, *identity: str) -> None:
        super().__init__(f"{' '.join(identity)} does not exist in this mock. Add it with kms.key_stores first.")
        self.identity = identity
