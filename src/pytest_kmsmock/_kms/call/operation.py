"""What an operation is: a function, and beside it as data what AWS documents about it.

```python
@operation("Encrypt", targets=[key()], states=USES_MATERIAL, usage="ENCRYPT_DECRYPT", cross_account=True)
def encrypt(call: Call) -> Result: ...
```
`pipeline.perform` reads this data; the function does only what no other operation does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.policy.evaluation import Policies
from pytest_kmsmock._kms.state.records import NO_TAGS, Grant, Key
from pytest_kmsmock._kms.state.state import Region, State

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.policy.decision import Decision
    from pytest_kmsmock._kms.state.backend import Backend
    from pytest_kmsmock._kms.state.caller import Caller

#: Which error refuses an operation, by key state; none in a state that is left out (`_kms.rules.key_states`).
StateRule = Mapping[str, errors.ErrorTemplate]
#: Works in every state: reading policies, tags, aliases, grants.
ANY_STATE: StateRule = {}

#: The members of an answer. Blobs are bytes, times are aware datetimes, absent members are absent.
Result = dict[str, object]


class Target(NamedTuple):
    """Something that a call needs permission for.

    Attributes:
        permission: the IAM action, such as `kms:Encrypt`.
        arn: the resource's ARN, or `*`.
        key: the key, if the resource is one.
        alias: the alias name, if the request named the key by alias (condition key `kms:RequestAlias`).
        member: the request member that named it.
        region: the Region the permission is needed in, when it is not the call's own.
        from_ciphertext: whether only the ciphertext named the key, which changes the text of a denial.
        new: whether it is the key that the call makes, which changes the text of a denial too.
    """

    permission: str
    arn: str
    key: Key | None = None
    alias: str | None = None
    member: str | None = None
    region: str | None = None
    from_ciphertext: bool = False
    new: bool = False


@dataclass(slots=True)
class Call:
    """One call on its way through the pipeline."""

    service: Backend
    state: State  # everything that the fake KMS remembers
    operation: Operation
    params: dict[str, Any]
    caller: Caller
    region: Region
    now: datetime
    request_id: str
    targets: tuple[Target, ...] = ()
    authorized: bool = False  # whether the caller has permission for all of them
    #: What was decided on each, until one was refused. Where policies allow outright, what there was to decide on.
    decided: tuple[Decision | Asked, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)  # what a target's finder worked out, for the function

    @property
    def key(self) -> Key:
        """The key that the call is about; the first one if there are two."""
        for target in self.targets:
            if target.key is not None:
                return target.key
        raise LookupError(f"{self.operation.name} is about no key")

    def target(self, member: str) -> Target:
        """Return the target that a request member named."""
        return next(target for target in self.targets if target.member == member)

    def random(self, count: int) -> bytes:
        """Return `count` random bytes from the mock's source."""
        return self.service.random(count)

    def stop_if_dry_run(self) -> None:
        """End a dry run here: everything that could refuse the call has been looked at.

        Raises:
            KmsError: `DryRunOperationException` when the request has `DryRun`.
        """
        if self.params.get("DryRun"):
            raise errors.DRY_RUN()


class Asked(NamedTuple):
    """One permission that a call needs, with all that is decided on.

    It holds what may change after the call, so that an explanation given later shows what was decided on.

    Attributes:
        call: the call.
        target: what it needs permission for.
        account: the account that owns it, for the decision; empty for an action without a resource.
        policies: all policies that bear on it.
        tags: the tags of the key that count.
        aliases: the names of the key's aliases that count.
        grants: the caller's grants on the key that count.
    """

    call: Call
    target: Target
    account: str = ""
    policies: Policies = Policies()
    tags: Mapping[str, str] = NO_TAGS
    aliases: tuple[str, ...] = ()
    grants: Sequence[Grant] = ()

    def __repr__(self) -> str:
        return f"<Asked for {self.target.permission} on {self.target.arn}>"


#: Finds targets of a call. Several may come of one request member (UpdateAlias: old and new key).
Finder = Callable[[Call], Iterable[Target]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with what AWS documents about it.

    Attributes:
        name: as in the API reference.
        run: the function that does it.
        targets: what permission is needed for, in AWS's order.
        before_key: refuses what is wrong with the request by itself, before the usage and state of its keys count.
        states: in which key states it is refused, and how.
        usage: the KeyUsage that all its keys must have; None for any.
        grantable: whether a grant can allow it.
        cross_account: whether it works on keys of other accounts at all.
        cryptographic: whether it counts as use of the key (GetKeyLastUsage, `kms:RequestAlias`).
        customer_managed: whether it is refused for AWS managed keys.
        watches: the field of a key whose transitional state it is about: it finds one without a delay still there.
    """

    name: str
    run: Callable[[Call], Result]
    targets: Sequence[Finder] = ()
    before_key: Callable[[Call], None] | None = None
    states: StateRule = field(default_factory=lambda: ANY_STATE)
    usage: str | None = None
    grantable: bool = False
    cross_account: bool = False
    cryptographic: bool = False
    customer_managed: bool = False
    watches: str = ""


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    *,
    targets: Sequence[Finder] = (),
    before_key: Callable[[Call], None] | None = None,
    states: StateRule = ANY_STATE,
    usage: str | None = None,
    grantable: bool = False,
    cross_account: bool = False,
    cryptographic: bool = False,
    customer_managed: bool = False,
    watches: str = "",
) -> Callable[[Callable[[Call], Result]], Callable[[Call], Result]]:
    """Register a function as an operation; the parameters are the attributes of `Operation`."""

    def register(run: Callable[[Call], Result]) -> Callable[[Call], Result]:
        OPERATIONS[name] = Operation(
            name,
            run,
            tuple(targets),
            before_key,
            states,
            usage,
            grantable,
            cross_account,
            cryptographic,
            customer_managed,
            watches,
        )
        return run

    return register
