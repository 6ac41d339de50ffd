"""`KmsMock`: what a test holds in its hands while a mock is active."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import environment, scopes
from .console import assertions, deterministic
from .console.calls import Calls
from .console.faults import Faults
from .errors import MissingExtra, NotActive
from .intercept import http, installation, pauses, wire
from .options import Options
from .service.caller import Caller, administrator
from .service.clock import Clock
from .service.identifiers import partition_of
from .service.operation import Call, Result
from .service.pipeline import perform
from .service.quotas import RequestQuotas
from .service.service import FakeKms

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from aiobotocore.client import AioBaseClient
    from botocore.client import BaseClient

    from .intercept.server import KmsServer


class KmsMock:
    """A fake KMS and the console for it.

    A test gets one from the `kms_mock` fixture or from `with mock_kms() as kms:`; it is not made directly.

    Attributes:
        options: the options of this mock.
        outer: the mock that this one is nested in, if any.
        active: whether it answers calls.
        parent: the mock whose state it began with: `outer`, or None if it began empty.
        place: how it was made: `mock_kms`, or the scope of its fixture, such as `function`.
        in_task: whether it was entered in an asyncio task.
        service: the fake KMS itself.
        faults: the errors, failed connections and slow answers that the test asks for.
        request_quotas: how often per second an account may call before it is throttled.
    """

    def __init__(self, options: Options, place: str = "mock_kms") -> None:
        self.options = options
        self.outer: KmsMock | None = scopes.enclosing()
        self.in_task = scopes.in_task()
        self.active = False
        self.parent: KmsMock | None = None if options.fresh else self.outer
        self.place = place
        random = deterministic.stream(place, self.parent) if options.deterministic else None
        self.service: FakeKms = FakeKms(random=random) if self.parent is None else self.parent.service.fork(random)
        if options.deterministic and not (self.parent is not None and self.parent.options.deterministic):
            self.clock.freeze(deterministic.START)
        self.service.enforce_policies = options.enforce_policies
        self._administrators: dict[str, Caller] = {}
        self._calls = self.service.calls = Calls(self.service)
        self.faults = Faults(self.service, self._set_interference)
        self.request_quotas = RequestQuotas(self.clock, options.request_quotas, self._set_interference)
        self._set_interference()

    # --- what a test reads ---------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The clock that everything in this mock goes by."""
        return self.service.clock

    @property
    def region(self) -> str:
        """The default Region, such as `us-east-1`."""
        return self.options.region or environment.default_region()

    @property
    def account_id(self) -> str:
        """The account of the default caller; 12 digits."""
        return self.options.account_id

    @property
    def calls(self) -> Calls:
        """The calls made so far in this mock, oldest first, with filters."""
        return self._calls

    def assert_called(self, operation: str, /, *, times: int | None = None, **members: object) -> None:
        """Fail unless an operation was called.

        Args:
            operation: such as `Decrypt`.
            times: how often exactly; at least once if not given.
            **members: what members of the request are like, as in `KmsMock.calls.of`.

        Raises:
            AssertionError: with the nearest calls and what about them differs.
            InvalidCallPattern: for an operation or a member that there is not.
        """
        __tracebackhide__ = True
        assertions.assert_called(self._calls, self.service.state, operation, times, members)

    def assert_not_called(self, operation: str | None = None, /, **members: object) -> None:
        """Fail if an operation was called, or any if none is given; the arguments are those of `assert_called`."""
        __tracebackhide__ = True
        assertions.assert_not_called(self._calls, operation, members)

    def assert_only_called(self, operation: str, /, **members: object) -> None:
        """Fail unless an operation was called, and nothing else; the arguments are those of `assert_called`."""
        __tracebackhide__ = True
        assertions.assert_only_called(self._calls, self.service.state, operation, members)

    def client(self, *, region: str | None = None, **kwargs: Any) -> BaseClient:
        """Return a new botocore client for KMS, which is what `boto3.client("kms")` gives too.

        Args:
            region: its Region, by default that of the mock.
            **kwargs: whatever else `botocore.session.Session.create_client` takes, such as `config`.

        Raises:
            NotActive: outside the mock.
        """
        self._must_be_active()
        return _session().create_client("kms", region_name=region or self.region, **(_DUMMY_CREDENTIALS | kwargs))

    def async_client(
        self, *, region: str | None = None, **kwargs: Any
    ) -> AbstractAsyncContextManager[AioBaseClient]:  # fmt: skip
        """Return a new aiobotocore client for KMS, to be entered: `async with kms.async_client() as client:`.

        Args:
            region: its Region, by default that of the mock.
            **kwargs: whatever else `aiobotocore.session.AioSession.create_client` takes, such as `config`.

        Raises:
            MissingExtra: when aiobotocore is not installed.
            NotActive: outside the mock.
        """
        self._must_be_active()
        client: AbstractAsyncContextManager[AioBaseClient] = _async_session().create_client(
            "kms", region_name=region or self.region, **(_DUMMY_CREDENTIALS | kwargs)
        )
        return client

    def serve(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_signatures: bool = False,
        after_call: Callable[[str], None] | None = None,
    ) -> KmsServer:  # fmt: skip
        """Return an HTTP endpoint of this mock for other processes and languages: `with kms.serve() as server:`.

        Args:
            host: the name or address to listen on; by default only this machine reaches it.
            port: the port; 0 takes a free one.
            check_signatures: whether requests must be signed with credentials of the mock.
            after_call: called with the operation's name when a call has been carried out, before it is answered.
        """
        from .intercept.server import KmsServer

        self._must_be_active()
        return KmsServer(self, host=host, port=port, check_signatures=check_signatures, after_call=after_call)

    # --- what the ways in ask --------------------------------------------------------------------------------------

    def goes_by_wire(self, operation: str) -> bool:
        """Say whether a call has to go through botocore's whole request path: so that it retries what goes wrong."""
        if not self._may_go_by_wire:
            return False
        return self.options.wire or self.request_quotas.active or self.faults.concern(operation)

    def take_delay(self) -> float:
        """Return by how many seconds the answer to this thread's last call has to be late, once."""
        return self.faults.take_delay() if self._may_go_by_wire else 0.0

    def _set_interference(self) -> None:
        """Have faults and request quotas looked at, or nothing at all if there are none."""
        interferes = bool(self.faults) or self.request_quotas.active
        self.service.interference = self._interfere if interferes else None
        self._may_go_by_wire = interferes or self.options.wire

    def _interfere(self, call: Call) -> Result:
        return self.faults.carry_out(call, self._carry_out_if_admitted if self.request_quotas.active else perform)

    def _carry_out_if_admitted(self, call: Call) -> Result:
        self.request_quotas.admit(call)
        return perform(call)

    def knows(self, access_key: str | None) -> bool:
        """Say whether an access key is one of the mock's, and may sign."""
        return access_key is not None and self.secret_of(access_key) is not None

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret access key that belongs to an access key of the mock's; None if it is not the mock's."""
        return environment.DUMMY_SECRET_ACCESS_KEY if access_key == environment.DUMMY_ACCESS_KEY_ID else None

    def new_request_id(self) -> str:
        """Return the id of the next request."""
        return self.service.new_request_id()

    def answer(
        self,
        operation: str,
        members: Mapping[str, Any],
        access_key: str | None,
        region: str,
        _url: str,
        request_id: str,
    ) -> dict[str, object]:  # fmt: skip
        """Carry out a call that came in some way.

        Raises:
            KmsError: what AWS would answer.
        """
        return self.service.call(operation, members, self._caller(access_key, region), region, request_id)

    def answer_http(self, request: http.HttpRequest, *, check_signature: bool = False) -> wire.HttpAnswer:
        """Carry out a call that came as an HTTP request; the Region is that of the address, else of the signature."""
        return http.answer(self, request, check_signature=check_signature)

    def _must_be_active(self) -> None:
        if not self.active:
            raise NotActive("This mock is over. Make clients while it is active: inside the test or the `with` block.")

    def _caller(self, _access_key: str | None, region: str) -> Caller:
        partition = partition_of(region)
        caller = self._administrators.get(partition)
        if caller is None:
            caller = self._administrators[partition] = administrator(self.account_id, partition)
        return caller

    # --- scope ---------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Begin to answer calls; `mock_kms` does this."""
        installation.install()
        scopes.enter(self)
        self.active = True

    def leave(self) -> None:
        """Answer calls no more, and give back what was borrowed; `mock_kms` does this."""
        self.active = False
        scopes.leave(self)
        pauses.restore()
        self.service.close()


_DUMMY_CREDENTIALS = {
    "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
    "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
}


@functools.cache
def _session() -> Any:
    """Return the botocore session that all clients of the handles share: it holds the loaded service models."""
    import botocore.session

    return botocore.session.Session()


@functools.cache
def _async_session() -> Any:
    try:
        from aiobotocore.session import AioSession
    except ModuleNotFoundError:
        raise MissingExtra("An asynchronous client", "aiobotocore", "aio") from None
    return AioSession()
