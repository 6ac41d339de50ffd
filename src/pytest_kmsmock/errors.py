"""Errors for the author of a test: what happened, and what to do about it.

AWS's errors are raised by the client, as `ClientError`.
"""

from __future__ import annotations


class KmsMockError(Exception):
    """Base class of the errors of this package."""


class MissingExtra(KmsMockError):
    """A call needs an optional dependency that is not installed.

    Args:
        feature: the feature that needs it, such as ``ML_KEM_512``.
        package: the missing distribution.
        extra: the extra of pytest-kmsmock that installs it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed: pip install 'pytest-kmsmock[{extra}]'"
        )
        self.feature = feature
        self.package = package
        self.extra = extra


class InvalidArgument(KmsMockError, TypeError):
    """A function has no argument of this name, takes it by name only, or takes no value of this type."""


class InvalidOption(KmsMockError, ValueError):
    """An option of the mock has a wrong name or value, or an argument a wrong value."""


class InvalidPrincipal(KmsMockError, ValueError):
    """A principal or its request context has a wrong form."""


class InvalidPolicy(KmsMockError, ValueError):
    """AWS would refuse the policy, or a policy to detach is not attached."""


class InvalidSimulation(KmsMockError, ValueError):
    """A simulation names a permission, key, alias, grant or parameter that does not exist."""


class NoSuchCall(KmsMockError, LookupError):
    """No call of this mock had the error to explain."""


class InvalidCallPattern(KmsMockError, ValueError):
    """A filter, assertion or fault names an operation or parameter that does not exist, so no call could match."""


class InvalidFault(KmsMockError, ValueError):
    """A fault has a wrong name or value."""


class UnknownQuota(KmsMockError, ValueError):
    """A request quota has a wrong name or value."""


class UnusedFaults(KmsMockError, AssertionError):
    """Faults never fired: raised by `assert_all_used`, and at the end of a mock with `unused_faults="error"`."""


class UnusedFaultsWarning(UserWarning):
    """Faults never fired, and the option `unused_faults` is `warn`."""


class KmsHygieneWarning(UserWarning):
    """A hygiene check has findings, and the option `hygiene` is `warn`."""


class KmsHygieneError(KmsMockError, AssertionError):
    """Hygiene checks have findings, and the option `hygiene` is `error`."""


class NotActive(KmsMockError):
    """A handle or client is used outside its mock, or a mock is stopped that is not running."""

    def __init__(
        self,
        message: str = "This mock has ended. Use its handle inside the test or the `with` block; a fixture must yield "
        "the handle there, not return it.",
    ) -> None:
        super().__init__(message)


class MockNotStopped(KmsMockError):
    """A test or a fixture started a mock and did not stop it."""

    def __init__(self, starter: str) -> None:
        super().__init__(
            f"{starter} started a KMS mock and did not stop it. It is stopped now, and later tests do not see it.\n"
            "Use `with mock_kms():`, the decorator or the fixture kms_mock, or call stop() in a finalizer."
        )
        self.starter = starter


class RealKmsCall(KmsMockError):
    """A KMS call outside a mock was blocked by `kms_mock_block_real_calls`."""

    def __init__(self, operation: str, place: str, advice: str) -> None:
        super().__init__(
            f"{place} called KMS {operation} outside a mock, and kms_mock_block_real_calls is on.\n{advice}\n"
            "To let this test reach AWS, mark it with @pytest.mark.kms_allow_real_calls."
        )
        self.operation = operation
        self.place = place


class RealKmsConnection(KmsMockError):
    """A connection to a KMS endpoint of AWS was blocked, of an HTTP library that no mock answers."""


class InvalidSeed(KmsMockError, ValueError):
    """A key cannot be created: a wrong value or seed file, or AWS would refuse it."""


class StateFileInUse(KmsMockError):
    """Another `pytest-kmsmock serve` uses the same state file."""


class InvalidScenario(KmsMockError, ValueError):
    """A conformance scenario is not valid; `docs/conformance.md` describes the format."""


class TargetUnreachable(KmsMockError):
    """The target of conformance scenarios does not answer, or credentials for it are missing."""


class InvalidDump(KmsMockError, ValueError):
    """A document cannot be loaded as a dump; the mock is unchanged."""


class UnknownKey(KmsMockError, KeyError):
    """A key does not exist."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotes


class UnknownPrincipal(KmsMockError, KeyError):
    """`least_privilege()` has no policy for a principal."""

    __str__ = Exception.__str__


class CannotDecrypt(KmsMockError, ValueError):
    """`kms_mock.decrypt` or an enclave cannot decrypt: the key is missing, or the encryption context is unknown."""


class InvalidBacking(KmsMockError, ValueError):
    """A cluster, a proxy, an external key or a custom key store has a wrong value."""


class UnknownBacking(KmsMockError, LookupError):
    """A cluster, a proxy or an external key does not exist: it was removed, or added in another mock."""

    def __init__(self, *identity: str) -> None:
        super().__init__(f"{' '.join(identity)} does not exist in this mock. Add it with kms.key_stores first.")
        self.identity = identity
