"""`KmsMock`: the handle of a mock, the interface for tests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_kmsmock import _testing
from pytest_kmsmock._kms.api.service_model import check_region
from pytest_kmsmock._kms.rules.managed_keys import managed_key
from pytest_kmsmock._kms.rules.timeline import settle
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._kms.state.delays import Delays
from pytest_kmsmock._runtime import environment
from pytest_kmsmock._runtime.arguments import check_arguments, check_names
from pytest_kmsmock._runtime.checks import check_form, check_path, check_type
from pytest_kmsmock._runtime.options import Options
from pytest_kmsmock._testing.faults.request_quotas import RequestQuotas
from pytest_kmsmock._testing.identity.credentials import issue
from pytest_kmsmock.errors import InvalidOption

from . import clients
from .deployed import Deployed
from .principals import Principals
from .recorded_calls import RecordedCalls

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from types_aiobotocore_kms.client import KMSClient as AsyncKMSClient

    from pytest_kmsmock._testing.faults.faults import Faults
    from pytest_kmsmock._testing.identity.credentials import Named
    from pytest_kmsmock._testing.identity.policy_text import Document
    from pytest_kmsmock._testing.policies.least_privilege import LeastPrivilege
    from pytest_kmsmock._testing.views.key_store_console import KeyStores
    from pytest_kmsmock._testing.views.key_view import Decrypted, Keys, KeyView
    from pytest_kmsmock._transport.endpoint.server import KmsServer

    from .client_types import KMSClient
    from .core import MockCore
    from .deployments import Seed


@check_arguments()
class KmsMock(Principals, RecordedCalls, Deployed):
    """AWS KMS for a test: clients, keys, calls, faults, policies and time.

    A test gets one from the `kms_mock` fixture or from `with mock_kms() as kms:`. When the mock has ended, what was
    recorded can still be read; members that make or change something raise `NotActive`.
    """

    def __init__(self, core: MockCore) -> None:
        vars(self).update(_core=core, _service=core.service)  # each test pays for `__setattr__`

    def __repr__(self) -> str:
        ended = "" if self.active else ", ended"
        return f"<KmsMock of {self.account} in {self.region}, {len(self.calls)} calls{ended}>"

    if not TYPE_CHECKING:  # type checkers know the attributes

        def __setattr__(self, name: str, value: object) -> None:
            __tracebackhide__ = True
            if name in Options._fields:
                given = f"{name}={value!r}"
                raise InvalidOption(f"A running mock keeps its options: mock_kms({given}) or the marker set {name}.")
            super().__setattr__(name, value)

    @property
    def options(self) -> Options:
        """The options of this mock."""
        return self._core.options

    @property
    def active(self) -> bool:
        """Whether it answers calls."""
        return self._core.active

    # --- faults, clock, delays, quotas, stores -------------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """The errors, failed connections and delays that the test injects."""
        from pytest_kmsmock._testing.faults.faults import Faults

        return Faults(self._core.injector)

    @property
    def clock(self) -> Clock:
        """The clock of this mock."""
        self._core.must_be_active()
        return self._service.clock

    @property
    def delays(self) -> Delays:
        """How long transitional states such as `Creating` and `CONNECTING` last: zero unless a test sets it."""
        self._core.must_be_active()
        return self._service.delays

    @property
    def request_quotas(self) -> RequestQuotas:
        """How often per second an account may call before it is throttled."""
        self._core.must_be_active()
        return RequestQuotas(self._core.throttle)

    @property
    def key_stores(self) -> KeyStores:
        """The clusters, proxies and external keys behind custom key stores."""
        self._core.must_be_active()
        return _testing.key_store_console.KeyStores(self._service, self.account, self.region)

    def managed_key(self, service: str, *, region: str | None = None) -> str:
        """Return the ARN of the AWS managed key of a service, such as `s3`; created on first use.

        Args:
            service: the name in the key's alias: `s3` for `alias/aws/s3`.
            region: its Region, by default that of the mock.

        Raises:
            InvalidOption: the service has no AWS managed key, or the Region is wrong.
        """
        self._core.must_be_active()
        if region is not None:
            check_region(region, "managed_key()")
        place = self._service.state.region(self.account, self.region if region is None else region)
        return managed_key(self._service, place, service).arn

    # --- seeds, and inspecting state ----------------------------------------------------------------------------------

    def create_key(
        self,
        *,
        alias: str | None = None,
        aliases: Sequence[str] = (),
        spec: str = "SYMMETRIC_DEFAULT",
        usage: str | None = None,
        key_id: str | None = None,
        material: bytes | str | None = None,
        origin: str = "AWS_KMS",
        key_store: str | None = None,
        xks_key_id: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        policy: Document | None = None,
        multi_region: bool | None = None,
        replicas: Sequence[str] = (),
        enabled: bool = True,
        rotation_period_in_days: int | None = None,
        pending_window_in_days: int | None = None,
        grants: Sequence[Mapping[str, object]] = (),
        account: str | None = None,
        region: str | None = None,
    ) -> KeyView:
        """Create a key in one step, without a call.

        AWS's validation applies as for a call of its owner, but no permission is needed.

        Args:
            alias: its alias, with its `alias/`.
            aliases: further aliases.
            spec: its KeySpec.
            usage: its KeyUsage; not needed where the spec has only one.
            key_id: its id, a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key; random if not given.
            material: its material: raw bytes of a symmetric or HMAC key; PKCS#8 DER or PEM of a private key; or
                base64 of these. Random if not given. With `key_id` and `material`, ciphertexts of earlier runs
                can be decrypted.
            origin: its Origin, `AWS_KMS` or `EXTERNAL`; the latter without material is `PendingImport`.
            key_store: the name or id of the custom key store that it is in; see `key_stores`.
            xks_key_id: the id of its external key, in an external key store.
            description: its description.
            tags: its tags.
            policy: its key policy: a JSON string, a mapping or the `pathlib.Path` of a file; AWS's default policy if
                not given.
            multi_region: whether it is a multi-Region primary key; by default derived from `key_id` and `replicas`.
            replicas: the Regions of its replica keys.
            enabled: whether it is enabled.
            rotation_period_in_days: how often it is rotated; never if not given.
            pending_window_in_days: in how many days it will be deleted; not at all if not given.
            grants: its grants, each with the parameters of CreateGrant, such as `GranteePrincipal` and `Operations`.
            account: the account that owns it, by default that of the mock.
            region: its Region, by default that of the mock.

        Returns:
            The key, as `KmsMock.keys` shows it.

        Raises:
            InvalidSeed: AWS would refuse the key; then nothing has changed.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        self._core.must_be_active()
        seeds = [(_testing.planting.only("create_key()"), _testing.key_seed.seed_of(given, "create_key()"))]
        planted = _testing.planting.plant(self._service, seeds, account=self.account, region=self.region)
        return _testing.key_view.KeyView(self._service, planted[0])

    def seed(self, path: Seed) -> list[KeyView]:
        """Create the keys of a seed file, or the resources of infrastructure files: all of them or none.

        The option `seed` does this when the mock starts.

        Args:
            path: the file; of infrastructure files (CloudFormation, CDK, SAM, Terraform) also several in a list, or
                CDK's output folder.

        Raises:
            InvalidSeed: with the line and the reason.
        """
        self._core.must_be_active()
        return [_testing.key_view.KeyView(self._service, key) for key in self._core.seed(path)]

    @property
    def keys(self) -> Keys:
        """The keys of the mock's account and Region, by id, ARN and alias, including their key material."""
        return _testing.key_view.Keys(self._service, self.account, self.region)

    def decrypt(
        self, blob: bytes, *, context: Mapping[str, str] | None = None, key: str | KeyView | None = None
    ) -> Decrypted:  # fmt: skip
        """Decrypt a ciphertext without a call, without permission and in any key state.

        Args:
            blob: the ciphertext.
            context: its encryption context. A ciphertext does not contain it; by default those of the calls of
                this mock and of outer mocks are tried.
            key: the key, as in `keys`, of a ciphertext that does not name it, which is one of an asymmetric key; by
                default all keys are tried.

        Raises:
            CannotDecrypt: with the reason.
            UnknownKey: the key does not exist.
        """
        wanted = None if key is None else self.keys[key]
        return _testing.key_view.open_blob(self._service, self._core.calls_all_around(), blob, context, wanted)

    def least_privilege(self, *, portable: bool = False) -> LeastPrivilege:
        """Return the smallest policies that allow the calls so far: for each principal, and for each key.

        Denied calls are left out. To include them, make them in a mock with `enforce_policies=False`.

        Args:
            portable: whether keys are identified by their aliases (`kms:ResourceAliases`), and keys that the calls
                created are any key, so that the policies work in other mocks and on AWS; by default by their ARNs.

        Raises:
            InvalidOption: `portable` is neither True nor False.

        Example:
            >>> from pytest_kmsmock import mock_kms
            >>> with mock_kms() as kms:
            ...     _ = kms.client().list_keys()
            ...     kms.least_privilege().identity_policies["arn:aws:iam::123456789012:user/Administrator"]["Statement"]
            [{'Effect': 'Allow', 'Action': 'kms:ListKeys', 'Resource': '*'}]
        """
        check_type(portable, bool, "least_privilege(): portable")
        permissions = _testing.required_permissions
        aliases = permissions.aliases_before(self._service.state, self.calls) if portable else None
        return _testing.least_privilege.least_privilege(permissions.permissions(self.calls, aliases))

    def dump(self, path: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Return a snapshot of the whole state for `load`, with JSON types; it contains key material.

        Args:
            path: a file to write it to as well.

        Raises:
            InvalidOption: `path` is not a path.
            OSError: the file cannot be written.
        """
        if path is not None:
            check_path(path, "dump(): path")
        document = _testing.dump.dump(self._service)
        if path is not None:
            _testing.dump.write(document, path)
        return document

    def load(self, document: Mapping[str, Any] | str | os.PathLike[str]) -> None:
        """Replace the whole state with a snapshot. The clock then shows the time of the snapshot.

        Args:
            document: a snapshot that `dump` returned, or the path of a file that it wrote.

        Raises:
            InvalidDump: with the reason; then nothing has changed.
        """
        self._core.must_be_active()
        snapshot = _testing.dump
        snapshot.load(self._service, document if isinstance(document, Mapping) else snapshot.read(document))

    # --- clients -------------------------------------------------------------------------------------------------

    def cloudtrail_events(self, *, account: str | None = None) -> list[dict[str, Any]]:
        """Return the calls, and what KMS did on its own, as CloudTrail records, oldest first.

        Args:
            account: the account whose trail to show (`recipientAccountId`); all of them if not given. A call on another
                account's key is in both trails.

        Raises:
            InvalidOption: a wrong account.
        """
        if account is not None:
            check_form("account", account, "cloudtrail_events()")
        settle(self._service, self._service.clock.now())
        events = _testing.cloudtrail.events(self.calls, self._service.state)
        return [event for event in events if account in (None, event["recipientAccountId"])]

    def client(
        self, *, region: str | None = None, principal: Named | None = None, **kwargs: Any
    ) -> KMSClient:  # fmt: skip
        """Return a new botocore client for KMS, as `boto3.client("kms")` does.

        Args:
            region: its Region, by default that of the mock; `region_name` is the same.
            principal: the caller, as in `credentials`; if not given, that of `as_principal`, else the default caller.
            **kwargs: further arguments of `botocore.session.Session.create_client`, such as `config`.

        Raises:
            InvalidArgument: `create_client` does not have the argument.
            InvalidOption: the Region is not a string.
            InvalidPrincipal: with the forms of a principal.
            NotActive: the mock has ended.
        """
        arguments = self._client_arguments("client", region, principal, kwargs)
        client: KMSClient = clients.session().create_client("kms", **arguments)
        return client

    def async_client(
        self, *, region: str | None = None, principal: Named | None = None, **kwargs: Any
    ) -> AbstractAsyncContextManager[AsyncKMSClient]:  # fmt: skip
        """Return a new aiobotocore client for KMS, to be entered: `async with kms.async_client() as client:`.

        Args:
            region: its Region, by default that of the mock; `region_name` is the same.
            principal: the caller, as in `credentials`; if not given, that of `as_principal`, else the default caller.
            **kwargs: further arguments of `aiobotocore.session.AioSession.create_client`, such as `config`.

        Raises:
            InvalidArgument: `create_client` does not have the argument.
            InvalidOption: the Region is not a string.
            InvalidPrincipal: with the forms of a principal.
            MissingExtra: when aiobotocore is not installed.
            NotActive: the mock has ended.
        """
        arguments = self._client_arguments("async_client", region, principal, kwargs)
        client: AbstractAsyncContextManager[AsyncKMSClient] = clients.async_session().create_client("kms", **arguments)
        return client

    def _client_arguments(
        self, method: str, region: str | None, principal: Named | None, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._core.must_be_active()
        if given:
            check_names(method, given, clients.argument_names())
        region = given.get("region_name", region)
        if region is not None:  # botocore checks whether it exists
            check_type(region, str, f"{method}(): region", "a Region such as 'eu-west-1'")
        region = region or self.region
        signing: dict[str, Any] = _DUMMY_CREDENTIALS
        if principal is not None:
            signing = dict(issue(_testing.callers.make_caller(principal, self._home(region), {})))
        return {"region_name": region, **signing, **given}

    def serve(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_signatures: bool = False,
        tls: bool = False,
        tls_dir: str | os.PathLike[str] | None = None,
        cors: bool = False,
    ) -> KmsServer:
        """Return an HTTP endpoint of this mock for other processes and languages: `with kms.serve() as server:`.

        Args:
            host: the name or address to listen on, by default of this machine only. Every client that can connect can
                use all keys.
            port: the port; 0 selects a free one.
            check_signatures: whether requests must be signed with credentials of the mock, as on AWS; by default any
                credentials are accepted.
            tls: whether it also accepts TLS, and is a proxy that answers KMS hosts of AWS (`KmsServer.proxy_url`).
            tls_dir: the folder of its certificate authority, created if missing; by default a temporary one.
            cors: whether it allows cross-origin requests of browsers, as AWS does.

        Raises:
            InvalidOption: a wrong host, port or folder.
        """
        from pytest_kmsmock._transport.endpoint.server import KmsServer

        self._core.must_be_active()
        return KmsServer(
            self._core, host=host, port=port, check_signatures=check_signatures, tls=tls, tls_dir=tls_dir, cors=cors
        )


_DUMMY_CREDENTIALS = {
    "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
    "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
}
