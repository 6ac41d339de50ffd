"""`KmsMock`: what a test holds in its hands while a mock is active."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import environment, scopes
from .console import deterministic
from .errors import NotActive
from .intercept import http, installation, wire
from .options import Options
from .service.caller import Caller, administrator
from .service.clock import Clock
from .service.identifiers import partition_of
from .service.service import CallRecord, FakeKms

if TYPE_CHECKING:
    from botocore.client import BaseClient


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
    def calls(self) -> list[CallRecord]:
        """The calls made so far in this mock, oldest first."""
        return self.service.calls

    def client(self, *, region: str | None = None, **kwargs: Any) -> BaseClient:
        """Return a new botocore client for KMS, which is what `boto3.client("kms")` gives too.

        Args:
            region: its Region, by default that of the mock.
            **kwargs: whatever else `botocore.session.Session.create_client` takes, such as `config`.

        Raises:
            NotActive: outside the mock.
        """
        if not self.active:
            raise NotActive("This mock is over. Make clients while it is active: inside the test or the `with` block.")
        given = {
            "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
            "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
        } | kwargs
        return _session().create_client("kms", region_name=region or self.region, **given)

    # --- what the ways in ask --------------------------------------------------------------------------------------

    def goes_by_wire(self, _operation: str) -> bool:
        """Say whether a call has to go through botocore's whole request path."""
        return self.options.wire

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
        self.service.close()


@functools.cache
def _session() -> Any:
    """Return the botocore session that all clients of the handles share: it holds the loaded service models."""
    import botocore.session

    return botocore.session.Session()
