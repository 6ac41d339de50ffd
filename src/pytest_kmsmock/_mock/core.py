"""`MockCore`: one mock, as the transports, reports and hygiene checks see it. `KmsMock` is its public interface.

It creates the fake KMS, identifies the caller of a request, and applies faults and request quotas to calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_kmsmock import _testing
from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.api.errors import UNRECOGNIZED_CLIENT
from pytest_kmsmock._kms.api.service_model import check_region, read_data_files
from pytest_kmsmock._kms.engine.fake_kms import FakeKms
from pytest_kmsmock._kms.engine.pipeline import perform
from pytest_kmsmock._kms.entropy.key_source import RSA_POOL
from pytest_kmsmock._kms.state.caller import Caller, administrator, role_session
from pytest_kmsmock._runtime import active_mocks, environment, network_guard
from pytest_kmsmock._services import hook as services
from pytest_kmsmock._testing.calls.call_list import Calls
from pytest_kmsmock._testing.faults.injection import Injector
from pytest_kmsmock._testing.faults.request_quotas import Throttle
from pytest_kmsmock._testing.identity import credentials, moto_principals
from pytest_kmsmock._transport.hooks import installation, retry_backoff
from pytest_kmsmock.errors import NotActive

from . import deployments, determinism, moto_keys
from .deployments import Seed, paths_of

if TYPE_CHECKING:
    from pytest_kmsmock._iac.model import Deployment
    from pytest_kmsmock._kms.call.operation import Call, Result
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.records import Key
    from pytest_kmsmock._moto.identity import Identity
    from pytest_kmsmock._runtime.active_mocks import Lock
    from pytest_kmsmock._runtime.options import Options
    from pytest_kmsmock._transport.endpoint.server import KmsServer
    from pytest_kmsmock._transport.endpoints import Endpoint


#: The module in which moto keeps access keys; loaded if moto's IAM is in use.
_MOTO_IAM = "moto.iam.models"
#: Access keys that identify no principal: the mock's dummy, moto's dummy, and the example key of AWS's documentation,
#: which moto's GetSessionToken returns to everyone.
_ANONYMOUS = frozenset({environment.DUMMY_ACCESS_KEY_ID, "FOOBARKEY", "AKIAIOSFODNN7EXAMPLE", None})


class MockCore:
    """One mock. `_transport.gate.Gate` describes what transports use of it.

    Args:
        options: its options.
        place: how it was created: `mock_kms`, or the scope of its fixture, such as `function`.

    Attributes:
        outer: the mock that this one is nested in, if any.
        parent: the mock whose state it started with: `outer`, or None if it started empty.
        apart: whether it was entered in a task, or in a thread other than the main one: then others do not nest in it.
        active: whether it answers calls.
        servers: its HTTP endpoints that run; they end with it.
        acting: the blocks of `as_principal` that run; they end with it.
        service: the fake KMS.
        calls: the calls made so far.
        injector: injects the faults that the test adds.
        throttle: throttles calls beyond the request quotas.
        seeded: the seed files whose keys are in its state.
        deployments: what was deployed from infrastructure files.
        interferes: whether faults or request quotas apply.
    """

    def __init__(self, options: Options, place: str = "mock_kms") -> None:
        self.options = options
        self.place = place
        self.outer = cast("MockCore | None", active_mocks.enclosing())
        self.parent = parent = None if options.fresh else self.outer
        self.apart = active_mocks.is_apart()
        self.active = False
        self.servers: list[KmsServer] = []
        self.acting: list[credentials.Acting] = []
        self._server: KmsServer | None = None  # for child processes
        #: Returns the caller of an access key that another STS issued; None if there is no other STS.
        self.elsewhere: Callable[[str], Caller | None] | None = None
        random = determinism.stream(place, [each.place for each in self._parents()]) if options.deterministic else None
        self.service: FakeKms = FakeKms(random=random) if parent is None else parent.service.fork(random)
        if options.deterministic and not (parent is not None and parent.options.deterministic):
            self.service.clock.freeze(determinism.START)
        self.service.enforce_policies = options.enforce_policies
        self.service.max_calls = options.max_calls
        self.calls = self.service.calls = Calls(self.service)
        self.injector = Injector(self.service, self._set_interceptor, self.must_be_active)
        self.throttle = Throttle(self.service.clock, options.request_quotas, self._set_interceptor)
        self._set_interceptor()
        self.seeded: frozenset[str] = frozenset() if parent is None else parent.seeded
        self.deployments: tuple[Deployment, ...] = () if parent is None else parent.deployments
        if options.seed is not None and not set(paths_of(options.seed)) <= self.seeded:
            self.seed(options.seed)  # otherwise the inherited state has the keys

    def _parents(self) -> Iterator[MockCore]:
        mock = self.parent
        while mock is not None:
            yield mock
            mock = mock.parent

    @property
    def region(self) -> str:
        """The default Region, such as `us-east-1`."""
        return self.options.region or environment.default_region()

    def seed(self, seed: Seed) -> list[Key]:
        """Create the keys of a seed file, or the resources of infrastructure files: all of them or none."""
        paths = paths_of(seed)
        if len(paths) > 1 or deployments.is_infrastructure(paths[0]):
            return deployments.deploy(self, paths)
        planted = _testing.seed_files.apply_seed(
            self.service, paths[0], account=self.options.account, region=self.region
        )  # fmt: skip
        self.seeded |= {str(Path.cwd() / paths[0])}
        return planted

    def calls_all_around(self) -> Iterator[CallRecord]:
        """Yield the calls of this mock and of the mocks around it, newest first."""
        mock: MockCore | None = self
        while mock is not None:
            yield from reversed(mock.calls)
            mock = mock.outer

    @property
    def children_environment(self) -> Mapping[str, str]:
        """The environment variables that point child processes to the mock; empty if it is not shared with them."""
        if self._server is None:
            return {}
        # If moto is active around the mock, it answers the child's other services, including STS.
        return {name: value for name, value in self._server.environment.items() if name != "AWS_ENDPOINT_URL_STS"}

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The locks of a call, in the order in which it acquires them."""
        return (self.service.lock, RSA_POOL.lock)

    # --- scope ---------------------------------------------------------------------------------------------------

    def enter(self, where: str) -> None:
        """Start answering calls.

        Args:
            where: where its Region was given, for the error message.

        Raises:
            InvalidOption: the Region is misspelt; this is known once botocore's data files are read.
        """
        read_data_files()
        if self.options.region is not None:
            check_region(self.options.region, where)
        installation.install(services.HANDLERS)
        if not moto_keys.installed:
            moto_keys.install()
        active_mocks.enter(self)
        self.active = True
        inherited = () if self.parent is None else self.parent.deployments
        if self.deployments and self.deployments is not inherited:
            deployments.into_moto(self, self.deployments[len(inherited) :])
        if self.options.share_with_children:
            from pytest_kmsmock._transport.endpoint.server import KmsServer

            self._server = KmsServer(self)
            self._server.start()

    def leave(self) -> None:
        """Stop answering calls, and restore the environment."""
        self.active = False
        active_mocks.leave(self)
        for block in self.acting:
            block.end()
        if not (active_mocks.is_any_active() or network_guard.blocking):
            installation.restore()
        self._server = None
        for server in list(self.servers):
            server.stop()
        retry_backoff.restore()
        self.service.close()

    def must_be_active(self) -> None:
        """Refuse what has no effect any more.

        Raises:
            NotActive: the mock has ended.
        """
        if not self.active:
            raise NotActive

    # --- callers -------------------------------------------------------------------------------------------------

    def default_caller(self, region: str) -> Caller:
        """Return the caller of requests with the dummy credentials."""
        return administrator(self.options.account, partition_of(region))

    def requester(self, access_key: str | None, region: str) -> Caller:
        """Return the caller of a request with an access key to a Region."""
        found = None if access_key in _ANONYMOUS else self._moto_identity(access_key)
        return self._caller(access_key, found, region)

    def _caller(self, access_key: str | None, found: Identity | None, region: str) -> Caller:
        if found is not None:
            return moto_principals.caller_of(found, enforced=self.options.moto_policies)
        elsewhere = None if self.elsewhere is None or self.knows(access_key) else self.elsewhere(access_key or "")
        caller = elsewhere or credentials.caller_of(access_key)
        if caller is None:
            if access_key is not None and access_key not in _ANONYMOUS:
                environment.note_access_key(access_key)
            caller = self.default_caller(region)
        return caller

    def role_session(self, role: str, name: str) -> Caller:
        """Return the session of a role that a service assumes, such as the execution role of a function.

        A role with policies here or in moto's IAM has the permissions that they give. Any other role is made up for the
        test, and may do everything that key policies let IAM allow.

        Args:
            role: the ARN of the role.
            name: the name of the session.
        """
        if _MOTO_IAM in sys.modules:
            from pytest_kmsmock._moto import identity

            found = identity.find_role(role, name)
            if found is not None:
                return moto_principals.caller_of(found, enforced=self.options.moto_policies)
        return role_session(role, name, administrator=role not in self.service.state.iam.identity)

    def _moto_identity(self, access_key: str | None) -> Identity | None:
        """Return the identity that moto issued an access key to; None if the mock issued it, or nobody did."""
        if access_key is None or _MOTO_IAM not in sys.modules or access_key in credentials.issued:
            return None
        from pytest_kmsmock._moto import identity

        return identity.find(access_key)

    def knows(self, access_key: str | None) -> bool:
        """Say whether the mock or moto issued an access key, and it is valid."""
        return access_key is not None and self.secret_of(access_key) is not None

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret access key of an access key; None if neither the mock nor moto issued it."""
        if access_key == environment.DUMMY_ACCESS_KEY_ID:
            return environment.DUMMY_SECRET_ACCESS_KEY
        issued = credentials.issued.get(access_key)
        if issued is not None:
            return issued.credentials.secret_access_key
        found = self._moto_identity(access_key)
        return found.secret if found is not None and found.valid else None

    def session_token_of(self, access_key: str) -> str | None:
        """Return the session token that an access key requires; None if it requires none."""
        issued = credentials.issued.get(access_key)
        if issued is not None:
            return issued.credentials.session_token
        found = self._moto_identity(access_key)
        return None if found is None else found.token

    # --- the answer ----------------------------------------------------------------------------------------------

    def answer(
        self,
        operation: str,
        params: Mapping[str, Any],
        access_key: str | None,
        region: str,
        endpoint: Endpoint | None,
        request_id: str,
    ) -> dict[str, object]:
        """Execute a call; the parameters are those of `_transport.gate.Gate.answer`.

        Raises:
            KmsError: what AWS would answer.
        """
        found = (
            None if access_key in _ANONYMOUS or access_key in credentials.issued else self._moto_identity(access_key)
        )
        if found is not None and not found.valid:
            raise UNRECOGNIZED_CLIENT()
        caller = self._caller(access_key, found, region)
        if endpoint is not None and endpoint.vpc_endpoint is not None:
            caller = replace(caller, context={**caller.context, "aws:sourcevpce": (endpoint.vpc_endpoint,)})
        return self.service.call(operation, params, caller, region, request_id)

    def call_sts(
        self, action: str, parameters: Mapping[str, str], access_key: str, region: str
    ) -> Mapping[str, object]:  # fmt: skip
        """Execute an operation of AWS STS; see `_transport.gate.Gate.call_sts`."""
        from pytest_kmsmock._testing.identity import sts

        home = credentials.Home(self.options.account, partition_of(region))
        return sts.call(action, parameters, self.requester(access_key, region), home, self.service.clock.now())

    # --- faults and request quotas -------------------------------------------------------------------------------

    def goes_by_wire(self, operation: str) -> bool:
        """Say whether a call must take botocore's whole request path, so that botocore retries failures."""
        if not self._may_go_by_wire:
            return False
        return self.options.wire or self.throttle.active or self.injector.concerns(operation)

    def take_delay(self) -> float:
        """Return the delay of the answer to this thread's last call in seconds, once."""
        return self.injector.take_delay() if self.interferes else 0.0

    @property
    def skips_backoff(self) -> bool:
        """Whether botocore's retry backoff is skipped."""
        return self.injector.skip_backoff

    def skip_backoff(self, seconds: float) -> bool:
        """Record a retry backoff of botocore; say whether to skip it."""
        return self.injector.note_backoff(seconds)

    def _set_interceptor(self) -> None:
        """Route calls through faults and request quotas if there are any."""
        self.interferes = bool(self.injector.rules) or self.throttle.active
        self.service.interceptor = self._intercept if self.interferes else None
        self._may_go_by_wire = self.interferes or self.options.wire

    def _intercept(self, call: Call) -> Result:
        return self.injector.execute(call, self._execute_if_admitted if self.throttle.active else perform)

    def _execute_if_admitted(self, call: Call) -> Result:
        self.throttle.admit(call)
        return perform(call)
