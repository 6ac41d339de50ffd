"""Operations: functions, with what AWS documents about them as data in a decorator; and the calls of operations.

```python
@operation("Encrypt", targets=[key()], states=USES_MATERIAL, usage="ENCRYPT_DECRYPT", cross_account=True)
def encrypt(call: Call) -> Result: ...
```
`pipeline.perform` does what the data says; the function has only the semantics of its operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.policy.evaluation import Policies
from pytest_kmsmock._kms.state.records import NO_TAGS, Grant, Key
from pytest_kmsmock._kms.state.state import Region, State
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.policy.decision import Decision
    from pytest_kmsmock._kms.state.backend import Backend
    from pytest_kmsmock._kms.state.caller import Caller

#: Key state -> the error of an operation in that state; other states are allowed (`_kms.rules.key_states`).
StateRule = Mapping[str, errors.ErrorTemplate]
#: For operations that work in every key state: reading policies, tags, aliases, grants.
ANY_STATE: StateRule = {}

#: The fields of a response, without absent ones. Blobs are bytes, times are aware datetimes.
Result = dict[str, object]


class Target(Record):
    """A permission that a call needs, and the resource.

    Attributes:
        permission: the IAM action, such as `kms:Encrypt`.
        arn: the resource's ARN, or `*`.
        key: the key, if the resource is a key.
        alias: the alias name, if the request identifies the key by alias (condition key `kms:RequestAlias`).
        parameter: the request parameter that identifies the resource.
        region: the Region of the resource, if it is not that of the call.
        from_ciphertext: whether only the ciphertext identifies the key; AWS's denial message then omits the key.
        creates_key: whether the call creates the key; AWS's denial message then omits the resource.
    """

    permission: str
    arn: str
    key: Key | None = None
    alias: str | None = None
    parameter: str | None = None
    region: str | None = None
    from_ciphertext: bool = False
    creates_key: bool = False


class Call:
    """A call in the pipeline.

    Attributes:
        service: the backend that answers it.
        state: the state of the fake KMS.
        operation: its operation.
        params: its parameters; the pipeline converts them to Python values.
        caller: who makes it.
        region: the resources of its Region.
        now: its time.
        request_id: its `RequestId`.
        targets: the permissions that it needs, and their resources.
        authorized: whether the caller has all permissions.
        decided: the decision on each target, up to the first denial; the access request if policies allow it
            unconditionally.
        notes: values that finders compute for the function.
    """

    __slots__ = (
        "authorized", "caller", "decided", "notes", "now", "operation", "params", "region", "request_id", "service",
        "state", "targets",
    )  # fmt: skip

    def __init__(
        self,
        service: Backend,
        state: State,
        operation: Operation,
        params: dict[str, Any],
        caller: Caller,
        region: Region,
        now: datetime,
        request_id: str,
    ) -> None:
        self.service = service
        self.state = state
        self.operation = operation
        self.params = params
        self.caller = caller
        self.region = region
        self.now = now
        self.request_id = request_id
        self.targets: tuple[Target, ...] = ()
        self.authorized = False
        self.decided: tuple[Decision | AccessRequest, ...] = ()
        self.notes: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        """The key of the call; the first if there are two."""
        for target in self.targets:
            if target.key is not None:
                return target.key
        raise LookupError(f"{self.operation.name} has no target key")

    def target(self, parameter: str) -> Target:
        """Return the target that a request parameter identifies."""
        return next(target for target in self.targets if target.parameter == parameter)

    def random(self, count: int) -> bytes:
        """Return `count` bytes from the mock's random source."""
        return self.service.random(count)

    def stop_if_dry_run(self) -> None:
        """End a dry run, after all checks and before the first change.

        Raises:
            KmsError: `DryRunOperationException` if the request has `DryRun`.
        """
        if self.params.get("DryRun"):
            raise errors.DRY_RUN()


class AccessRequest(Record):
    """A permission that a call needs, with all inputs of the access decision.

    It keeps the inputs as they are at the time of the call, for explanations after later changes.

    Attributes:
        call: the call.
        target: permission and resource.
        account: the account that owns the resource; empty for an action without a resource.
        policies: all policies that apply.
        tags: the effective tags of the key.
        aliases: the names of the key's effective aliases.
        grants: the caller's effective grants on the key.
    """

    call: Call
    target: Target
    account: str = ""
    policies: Policies = Policies()
    tags: Mapping[str, str] = NO_TAGS
    aliases: tuple[str, ...] = ()
    grants: Sequence[Grant] = ()

    def __repr__(self) -> str:
        return f"<AccessRequest {self.target.permission} on {self.target.arn}>"


#: Finds targets of a call. One request parameter can have several (UpdateAlias: old and new key).
Finder = Callable[[Call], Iterable[Target]]


class Operation(Record):
    """An operation, with what AWS documents about it.

    Attributes:
        name: the name in the API reference.
        run: the function that implements it.
        targets: finders of the permissions and resources that it needs, in AWS's order.
        check_request: checks the request itself, before usage and state of its keys.
        states: the error in each key state that does not allow it.
        usage: the KeyUsage that all its keys must have; None for any.
        grantable: whether a grant can allow it.
        cross_account: whether it supports keys of other accounts.
        cryptographic: whether it is a cryptographic operation (GetKeyLastUsage, `kms:RequestAlias`).
        customer_managed: whether it works on customer managed keys only.
        keeps_transition: the field of a key with a transitional state that must not end before the operation: without
            a delay, the state ends at the next call of any other operation.
    """

    name: str
    run: Callable[[Call], Result]
    targets: Sequence[Finder] = ()
    check_request: Callable[[Call], None] | None = None
    states: StateRule = ANY_STATE
    usage: str | None = None
    grantable: bool = False
    cross_account: bool = False
    cryptographic: bool = False
    customer_managed: bool = False
    keeps_transition: str = ""


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    *,
    targets: Sequence[Finder] = (),
    check_request: Callable[[Call], None] | None = None,
    states: StateRule = ANY_STATE,
    usage: str | None = None,
    grantable: bool = False,
    cross_account: bool = False,
    cryptographic: bool = False,
    customer_managed: bool = False,
    keeps_transition: str = "",
) -> Callable[[Callable[[Call], Result]], Callable[[Call], Result]]:
    """Register a function as an operation; the parameters are the attributes of `Operation`."""

    def register(run: Callable[[Call], Result]) -> Callable[[Call], Result]:
        OPERATIONS[name] = Operation(
            name,
            run,
            tuple(targets),
            check_request,
            states,
            usage,
            grantable,
            cross_account,
            cryptographic,
            customer_managed,
            keeps_transition,
        )
        return run

    return register
