"""Hygiene checks: uses of KMS that AWS allows and a code review would reject. They run when a mock ends.

To add a check, write a function that yields its findings, and add a row to `CHECKS` and its name to
`_runtime.options.HYGIENE_CHECKS`.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_kmsmock._runtime.options import HYGIENE_CHECKS
from pytest_kmsmock.errors import KmsHygieneError, KmsHygieneWarning, UnusedFaults, UnusedFaultsWarning

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.records import Key

    from .core import MockCore

_GUIDE = "https://docs.aws.amazon.com/kms/latest/developerguide"

#: Files whose frames are not the test's: this package, and `contextlib` for mocks on an ExitStack.
_NOT_THE_TEST = (str(Path(__file__).parents[1]), contextlib.__file__)

#: How many findings of a check are listed; the rest is counted.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """A hygiene check.

    Attributes:
        name: its name in the option `hygiene_checks`.
        what: what it finds, as the heading of its findings.
        why: why that is a problem.
        page: AWS's page about it.
        find: yields a line for each finding in a mock that has ended.
    """

    name: str
    what: str
    why: str
    page: str
    find: Callable[[MockCore], Iterable[str]]


# --- findings of checks -----------------------------------------------------------------------------------------------


def _unused_data_keys(mock: MockCore) -> Iterator[str]:
    decrypted = _decrypted.get(mock, set())
    for index, record in _succeeded(mock):
        result = record.result or {}
        blob = result.get("CiphertextBlob") or result.get("PrivateKeyCiphertextBlob")
        plain = "Plaintext" in result or "PrivateKeyPlaintext" in result
        if record.operation in ("GenerateDataKey", "GenerateDataKeyPair") and plain and blob not in decrypted:
            yield _line(index, record)


def _without_context(mock: MockCore) -> Iterator[str]:
    from pytest_kmsmock._testing.audit.encryption_contexts import lacks_context

    return (_line(index, record) for index, record in _succeeded(mock) if lacks_context(record))


#: Operation -> the parameter that selects the algorithm of an encryption. Decryption has no choice.
_ENCRYPTS = {
    "Encrypt": "EncryptionAlgorithm",
    "ReEncrypt": "DestinationEncryptionAlgorithm",
    "GetParametersForImport": "WrappingAlgorithm",
}


def _old_algorithm(mock: MockCore) -> Iterator[str]:
    return (
        _line(index, record)
        for index, record in _succeeded(mock)
        if record.params.get(_ENCRYPTS.get(record.operation, "")) == "RSAES_OAEP_SHA_1"
    )


def _wildcard_principals(mock: MockCore) -> Iterator[str]:
    from pytest_kmsmock._kms.policy import PolicyKind, compile_policy

    for what, text in _policies(mock):
        for statement in compile_policy(text, PolicyKind.KEY).statements:
            principal = statement.principal
            everyone = principal is not None and (principal.everyone or principal.negated)
            if everyone and not statement.deny and not statement.conditions:
                yield f"{what}: {statement.name}"


#: Operation that creates a key -> the member of the response that describes the key.
_NEW_KEYS = {"CreateKey": "KeyMetadata", "ReplicateKey": "ReplicaKeyMetadata"}


def _policies(mock: MockCore) -> Iterator[tuple[str, str]]:
    """Yield the key policies that calls set, then those of keys that were created without a call."""
    seen: set[str] = set()
    for index, record in _succeeded(mock):
        if "Policy" in record.params:
            made = (record.result or {}).get(_NEW_KEYS.get(record.operation, ""))
            seen.add(record.keys[0].arn if made is None else made["Arn"])
            yield _line(index, record, "KeyId"), str(record.params["Policy"])
    for key in _own_keys(mock):
        if key.arn not in seen:
            yield f"the policy of {key.arn}{_written(mock, key)}", key.policy


def _unknown_permissions(mock: MockCore) -> Iterator[str]:
    from pytest_kmsmock._kms.policy import PolicyKind, compile_policy
    from pytest_kmsmock._testing.policies.permission_names import unknown_actions

    for what, text in _policies(mock):
        yield from (f"{what}: {found}" for found in unknown_actions(compile_policy(text, PolicyKind.KEY).statements))
    before = mock.parent.service.state.iam.identity if mock.parent else {}
    for holder, attached in mock.service.state.iam.identity.items():
        for text in attached:
            if text not in before.get(holder, ()):
                statements = compile_policy(text, PolicyKind.IDENTITY).statements
                yield from (f"the policy of {holder}: {found}" for found in unknown_actions(statements))


def _left_enabled(mock: MockCore) -> Iterator[str]:
    if mock.place != "session":
        return
    for key in _own_keys(mock):
        if key.enabled and key.deletion is None:
            yield f"{key.arn}{f' ({key.description})' if key.description else ''}{_written(mock, key)}"


def _written(mock: MockCore, key: Key) -> str:
    """Return the place of a key policy in an infrastructure file; empty if it is in none."""
    known = mock.service.state.iam.origins.get(key.arn, {})
    origin = known.get(key.policy)
    return "" if origin is None else f" ({origin})"


def _own_keys(mock: MockCore) -> Iterator[Key]:
    """Yield the customer managed keys that were created or changed in this mock, not in its parent."""
    for region in mock.service.state.regions():
        before = mock.parent.service.state.region(region.account, region.name).keys if mock.parent else {}
        for key in region.keys.values():
            if key.manager == "CUSTOMER" and before.get(key.id) is not key:
                yield key


def _succeeded(mock: MockCore) -> Iterator[tuple[int, CallRecord]]:
    """Yield the calls that succeeded, numbered as in reports; how a service such as S3 calls KMS is not checked."""
    calls = enumerate(mock.calls, start=1)
    return ((index, record) for index, record in calls if not record.refused and record.via is None)


def _line(index: int, record: CallRecord, *names: str) -> str:
    """Show a call; with some of its parameters only, if any are named."""
    from pytest_kmsmock._kms.call.short_repr import format_request

    shown = {name: record.params[name] for name in names if name in record.params} if names else record.params
    return f"#{index} {format_request(record.operation, shown)}"


# --- the table --------------------------------------------------------------------------------------------------------

CHECKS = (
    Check(
        "unused-data-key",
        "plaintext data keys that were requested and never decrypted",
        "For a data key that is used later, GenerateDataKeyWithoutPlaintext returns no plaintext.",
        f"{_GUIDE}/data-keys.html",
        _unused_data_keys,
    ),
    Check(
        "no-encryption-context",
        "symmetric encryption without encryption context",
        "An encryption context binds a ciphertext to its purpose, is logged by CloudTrail; policies can require it.",
        f"{_GUIDE}/encrypt_context.html",
        _without_context,
    ),
    Check(
        "deprecated-algorithm",
        "encryption with RSAES_OAEP_SHA_1",
        "SHA-1 is deprecated; RSAES_OAEP_SHA_256 is the replacement.",
        f"{_GUIDE}/asymmetric-key-specs.html",
        _old_algorithm,
    ),
    Check(
        "wildcard-principal",
        "key policies that allow every principal",
        "An Allow for every principal without a condition allows any AWS account.",
        f"{_GUIDE}/key-policy-overview.html",
        _wildcard_principals,
    ),
    Check(
        "unknown-permission",
        "policies with actions that KMS does not have",
        "AWS stores a misspelt action, and it allows or denies nothing.",
        f"{_GUIDE}/kms-api-permissions-reference.html",
        _unknown_permissions,
    ),
    Check(
        "key-left-enabled",
        "keys left enabled at the end of the session",
        "Each key costs money until it is deleted: code that creates temporary keys should schedule their deletion.",
        f"{_GUIDE}/deleting-keys.html",
        _left_enabled,
    ),
)

#: Mock -> the ciphertexts decrypted in it or in a mock nested in it.
_decrypted: WeakKeyDictionary[MockCore, set[bytes]] = WeakKeyDictionary()


def inspect(mock: MockCore, definition: tuple[str, int] | None = None) -> None:
    """Run the checks of a mock that has ended.

    Args:
        mock: the mock.
        definition: file and line that warnings show, of the test; by default of the statement that ended the mock.

    Raises:
        KmsHygieneError: there are findings, and `hygiene` is `error`.
    """
    _record_decrypted(mock)
    chosen = mock.options.hygiene_checks or HYGIENE_CHECKS
    texts = [text for check in CHECKS if check.name in chosen for text in _findings(check, mock)]
    if mock.options.hygiene == "error" and texts:
        raise KmsHygieneError("\n\n".join(texts))
    file, line = definition or _ending()
    for text in texts:
        warnings.warn_explicit(KmsHygieneWarning(text), KmsHygieneWarning, file, line)


def report_unused_faults(mock: MockCore, definition: tuple[str, int] | None = None) -> None:
    """Warn of faults that never fired, or fail the test, when their mock has ended.

    Args:
        mock: the mock.
        definition: as in `inspect`.

    Raises:
        UnusedFaults: `unused_faults` is `error`.
    """
    from pytest_kmsmock._testing.faults.faults import unused_text

    text = unused_text(mock.injector)
    if mock.options.unused_faults == "error":
        raise UnusedFaults(text)
    file, line = definition or _ending()
    warnings.warn_explicit(UnusedFaultsWarning(text), UnusedFaultsWarning, file, line)


def _ending() -> tuple[str, int]:
    """Return file and line of the statement that ends the mock."""
    frame = sys._getframe(1)  # noqa: SLF001 - `warnings` finds its stack level in the same way
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_TEST):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _record_decrypted(mock: MockCore) -> None:
    """Record what was decrypted, for this mock and its parent: a data key may be generated there and decrypted here."""
    decrypted = _decrypted.setdefault(mock, set())
    for _, record in _succeeded(mock):
        if record.operation in ("Decrypt", "ReEncrypt") and "CiphertextBlob" in record.params:
            decrypted.add(record.params["CiphertextBlob"])
    if mock.parent is not None:
        _decrypted.setdefault(mock.parent, set()).update(decrypted)


def _findings(check: Check, mock: MockCore) -> Iterator[str]:
    found = list(check.find(mock))
    if found:
        lines = [f"KMS hygiene ({check.name}): {check.what}", *(f"  {line}" for line in found[:_SHOWN])]
        if len(found) > _SHOWN:
            lines.append(f"  … and {len(found) - _SHOWN} more")
        yield "\n".join([*lines, check.why, check.page])
