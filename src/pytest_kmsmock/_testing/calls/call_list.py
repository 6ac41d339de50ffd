"""`KmsMock.calls`: the calls so far, with filters. `assertions` has assertions about them.

A mock's list has the calls that it answered. A nested mock starts with an empty list, and its calls are not in the list
of the outer mock.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, SupportsIndex, overload

from pytest_kmsmock._kms.api.arns import KEY_ID, parse_arn
from pytest_kmsmock._kms.api.service_model import misspelt_region
from pytest_kmsmock._kms.engine.call_record import CallRecord
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import REGION
from pytest_kmsmock.errors import InvalidCallPattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._kms.state.records import Key
    from pytest_kmsmock._testing.identity.credentials import Credentials
    from pytest_kmsmock._testing.views.key_view import KeyView


@check_arguments("calls.")
class Calls(list[CallRecord]):
    """Calls, oldest first: a list of `CallRecord`. Filters return such a list again.

    Example:
        >>> from pytest_kmsmock import mock_kms
        >>> with mock_kms() as kms:
        ...     client = kms.client()
        ...     key_id = client.create_key()["KeyMetadata"]["KeyId"]
        ...     _ = client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"tenant": "a", "table": "t"})
        ...     len(kms.calls), len(kms.calls.of("Encrypt", EncryptionContext={"tenant": "a"}))
        (2, 1)
    """

    __slots__ = ("_service",)

    def __init__(self, service: FakeKms) -> None:
        super().__init__()
        self._service = service

    def __repr__(self) -> str:
        """Return each call in short, as failures do: pytest shows it for `assert not kms_mock.calls.refused`."""
        return f"[{', '.join(map(str, self))}]"

    @overload
    def __getitem__(self, index: SupportsIndex) -> CallRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Calls: ...

    def __getitem__(self, index: SupportsIndex | slice) -> CallRecord | Calls:
        """Return one call; for a slice such as `calls[2:]` a list that can be filtered."""
        __tracebackhide__ = True
        if not isinstance(index, slice):
            return super().__getitem__(index)
        chosen = Calls(self._service)
        chosen.extend(super().__getitem__(index))
        return chosen

    def copy(self) -> Calls:
        """Return a copy of the list, which does not grow."""
        return self[:]

    def of(self, operation: str | None = None, /, **params: object) -> Calls:
        """Return the calls of an operation whose parameters match.

        Args:
            operation: such as `Decrypt`; None for any.
            **params: expected parameters. A mapping matches one with at least its entries, a key identifier every form
                of it, and None an absent parameter; the page "Calls" has more.

        Raises:
            InvalidCallPattern: the operation or a parameter does not exist.
        """
        from .call_pattern import CallPattern

        pattern = CallPattern(operation, params)
        return self._where(lambda record: pattern.matches(record, self._service.state))

    def on(self, key: str | KeyView | Key) -> Calls:
        """Return the calls on a key.

        Args:
            key: key id, key ARN, alias name or alias ARN; or a key of `kms_mock.keys`.

        Raises:
            InvalidCallPattern: for anything else.
        """
        from .call_pattern import names_key

        expected = "a key id, key ARN, alias name such as 'alias/orders', alias ARN, or a key of kms_mock.keys"
        wanted = _text(key, "on()", expected, _names_key)
        return self._where(
            lambda record: any(names_key(wanted, target, self._service.state) for target in record.targets)
        )

    def by(self, principal: str | Caller | Credentials) -> Calls:
        """Return the calls of a principal.

        Args:
            principal: the ARN of a user, a role (for all its sessions) or a session; the short form `user/alice` or
                `role/app`, in any account; the name of an AWS service; an account id, for all its principals; or
                credentials.

        Raises:
            InvalidCallPattern: for anything else.
        """
        wanted = _text(
            principal,
            "by()",
            "the ARN of a principal, 'user/NAME', 'role/NAME' or 'root', the name of a service, an account id, or "
            "credentials",
            lambda text: re.fullmatch(_PRINCIPAL, text) is not None,
        )

        def is_by(record: CallRecord) -> bool:
            caller = record.caller
            arns = [arn for arn in (caller.arn, caller.principal.issuer_arn) if arn is not None]
            return wanted in (*arns, caller.account) or any(arn.split(":", 5)[-1] == wanted for arn in arns)

        return self._where(is_by)

    def in_region(self, region: str) -> Calls:
        """Return the calls to a Region.

        Raises:
            InvalidCallPattern: not a Region, or a misspelt one, unless a call was made to it.
        """
        called = {record.region for record in self}
        wanted = _text(
            region,
            "in_region()",
            "the name of a Region, such as 'eu-west-1'",
            lambda name: name in called or (re.fullmatch(REGION, name) and misspelt_region(name) is None),
        )
        return self._where(lambda record: record.region == wanted)

    def with_error(self, code: str) -> Calls:
        """Return the calls that were refused with an error code, such as `AccessDeniedException`.

        Args:
            code: an error code of KMS or common to AWS; an HTTP status as a string; the name of a connection error; or
                a code that a fault injected.

        Raises:
            InvalidCallPattern: an unknown code, which would never match.
        """
        wanted = _text(code, "with_error()", "an error code, such as 'AccessDeniedException'")
        found = self._where(lambda record: record.error is not None and record.error.code == wanted)
        if not found:
            from .error_codes import check_code

            check_code(wanted)
        return found

    @property
    def refused(self) -> Calls:
        """The calls that got an error."""
        return self._where(lambda record: record.refused)

    @property
    def succeeded(self) -> Calls:
        """The calls that succeeded."""
        return self._where(lambda record: not record.refused)

    @property
    def last(self) -> CallRecord | None:
        """The last call; None if there is none."""
        return self[-1] if self else None

    def _where(self, condition: Callable[[CallRecord], bool]) -> Calls:
        found = Calls(self._service)
        found.extend(record for record in self if condition(record))
        return found


#: Forms of a principal: ARN, account id, short form, or the name of a service.
_PRINCIPAL = (
    r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+|\d{12}|root|(user|role|assumed-role|federated-user)/.+"
    r"|[a-z0-9-]+(\.[a-z0-9-]+)+"
)


def _names_key(text: str) -> bool:
    return text.startswith("alias/") or KEY_ID.fullmatch(text) is not None or parse_arn(text) is not None


def _text(given: object, filter_name: str, expected: str, fits: Callable[[str], object] = bool) -> str:
    """Return a string, or the ARN of an object that has one.

    Raises:
        InvalidCallPattern: another type or form, which no call could match.
    """
    found = given if isinstance(given, str) else getattr(given, "arn", None)
    if not isinstance(found, str) or not fits(found):
        raise InvalidCallPattern(f"calls.{filter_name} takes {expected}, not {given!r}.")
    return found
