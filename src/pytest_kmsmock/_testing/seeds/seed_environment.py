"""What a seed file has besides keys: custom key stores with their backing, IAM policies, and credentials.

Key stores and policies are created before the keys with `key_stores` and `iam`, in the same draft. Credentials are
registered for the process, after the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._testing.identity.callers import make_caller
from pytest_kmsmock._testing.identity.credentials import Home, register
from pytest_kmsmock._testing.identity.iam_console import IamConsole
from pytest_kmsmock._testing.identity.policy_text import malformation
from pytest_kmsmock._testing.views.key_store_console import KeyStores
from pytest_kmsmock.errors import InvalidSeed, KmsMockError

from .planting import check_home

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.policy.kinds import MalformedPolicy
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._testing.identity.policy_text import Document


@dataclass(frozen=True, slots=True)
class KeyStoreSeed:
    """A custom key store to create: a CloudHSM key store on a new cluster.

    With `xks_keys` it is an external key store, on a new proxy whose key manager has keys with these ids.
    """

    name: str
    xks_keys: tuple[str, ...] | None = None
    connected: bool = True
    region: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialsSeed:
    """Credentials of a principal; temporary ones have a session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class SeedEnvironment:
    """What the keys need, each part with its place, for error messages.

    Attributes:
        key_stores: the custom key stores.
        policies: the principals that have identity policies, each with one policy or a list of them; the place of one
            is a function of the path within.
        credentials: the principals that have credentials of their own.
        boolean_hint: what to do about a boolean where a policy needs a string.
    """

    key_stores: tuple[tuple[str, KeyStoreSeed], ...] = ()
    policies: tuple[tuple[Callable[[str], str], str, object], ...] = ()
    credentials: tuple[tuple[str, str, CredentialsSeed], ...] = ()
    boolean_hint: str = ""

    def make(self, draft: FakeKms, account: str, region: str) -> None:
        """Create all of it but the credentials, which a draft does not hold; these are validated.

        Args:
            draft: the fake KMS.
            account: the account of key stores and of principals in short form.
            region: the Region of key stores that do not name one.

        Raises:
            InvalidSeed: with where and the reason.
        """
        for where, store in self.key_stores:
            home = region if store.region is None else store.region
            check_home(account, (home,), where)
            with _told(where):
                stores = KeyStores(draft, account, home)
                backing = None if store.xks_keys is None else stores.add_xks_proxy(keys=store.xks_keys)
                stores.add_store(backing, name=store.name, connected=store.connected)
        for place, principal, given in self.policies:
            check_home(account, (region,), place(""))
            spot, malformed = _malformed_part(given)
            hint = self.boolean_hint if malformed and isinstance(malformed.found, bool) else ""
            with _told(place(spot), hint):
                iam = IamConsole(draft, Home(account, partition_of(region)))
                iam.attach(principal, *cast("list[Document]", given if isinstance(given, list) else [given]))
        self._callers(account, region)  # to refuse wrong ones

    def register_credentials(self, account: str, region: str) -> None:
        """Register the access keys of principals with credentials of their own: all of them or none.

        Args:
            account: the account of principals in short form.
            region: a Region of their partition.

        Raises:
            InvalidSeed: with where and the reason.
        """
        for caller, (_, _, own) in zip(self._callers(account, region), self.credentials, strict=True):
            register(caller, own.access_key_id, own.secret_access_key, own.session_token)

    def _callers(self, account: str, region: str) -> list[Caller]:
        """Return the callers of the credentials."""
        callers = []
        for where, principal, _ in self.credentials:
            check_home(account, (region,), where)
            with _told(where):
                callers.append(make_caller(principal, Home(account, partition_of(region)), {}))
        return callers


def _malformed_part(given: object) -> tuple[str, MalformedPolicy | None]:
    """Return the path of the first malformed element of one policy or a list of them, and what is wrong."""
    for index, document in enumerate(given if isinstance(given, list) else [given]):
        malformed = malformation(document, PolicyKind.IDENTITY)
        if malformed is not None:
            spot = f"[{index}]" if isinstance(given, list) else ""
            return f"{spot}.{malformed.place}".rstrip("."), malformed
    return "", None


@contextmanager
def _told(where: str, hint: str = "") -> Iterator[None]:
    """Add the place in the seed file to errors of `key_stores` and `iam`."""
    try:
        yield
    except KmsMockError as error:
        raise InvalidSeed(f"{where}: {error}{hint}") from None
