"""The methods of `KmsMock` for principals: credentials, policies, explanations and simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock import _testing
from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.api.service_model import check_region
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._testing.identity.credentials import ActingAs, Home, issue

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from typing_extensions import Unpack

    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._testing.identity.context_values import ContextValue
    from pytest_kmsmock._testing.identity.credentials import Credentials, Named
    from pytest_kmsmock._testing.identity.iam_console import IamConsole
    from pytest_kmsmock._testing.identity.request_context import RequestContext
    from pytest_kmsmock._testing.policies.explanation import Caught, Explanation
    from pytest_kmsmock._testing.views.key_view import KeyView

    from .core import MockCore


@check_arguments()
class Principals:
    """Methods for principals."""

    _core: MockCore
    _service: FakeKms

    @property
    def account(self) -> str:
        """The account id of the default caller, 12 digits."""
        return self._core.options.account

    @property
    def region(self) -> str:
        """The default Region, such as `us-east-1`."""
        return self._core.region

    def credentials(self, principal: Named | None = None, **request_context: Unpack[RequestContext]) -> Credentials:
        """Return credentials of a principal, for any client: `boto3.client("kms", **kms.credentials("role/app"))`.

        A principal has no identity policies unless they are attached (`iam`). The default caller has one that allows
        everything.

        Args:
            principal: the ARN of a user, role, role session, federated user or root user; an AWS service such as
                `s3.amazonaws.com`; an account id for its root user; or the short form in the mock's own account,
                `user/alice`, `role/app`, `root`. A role means a session of it. None is the default caller, inside
                `as_principal` too.
            **request_context: the request context, all by name: `session_name`; `session_policies`; `tags` of
                the principal and its session; `org_id`, its organization, and `resource_org_id`, that of the keys of
                other accounts; `issuer_arn`, the role of a session if it has a path, or the user who called
                GetFederationToken; `provider`, the identity provider; `via_service`, the AWS service that
                calls for the principal, such as `s3`; `source_arn` and `source_account`, of a service's call;
                `source_ip`, `source_vpc`, `source_vpce`; `mfa`; `account`, of a service, whose keys a bare key id
                means; `context`, any further condition keys with their values.

        Raises:
            InvalidArgument: an unknown part of the request context.
            InvalidPolicy: AWS would refuse the session policy.
            InvalidPrincipal: with the forms of a principal.
        """
        self._core.must_be_active()
        return issue(self._caller(principal, **request_context))

    def _caller(self, principal: Named | None = None, **request_context: Unpack[RequestContext]) -> Caller:
        """Return a caller for `FakeKms.call`; the arguments are those of `credentials`."""
        if principal is None and not request_context:
            return self._core.default_caller(self.region)
        caller = _testing.callers.make_caller(principal, self._home(self.region), request_context)
        return self._service.state.iam.with_tags(caller) if isinstance(principal, str) else caller

    def as_principal(
        self, principal: Named, **request_context: Unpack[RequestContext]
    ) -> AbstractContextManager[Credentials]:  # fmt: skip
        """Call as another principal in a `with` block, with all clients except those that have other `credentials`.

        The arguments are those of `credentials`.
        """
        self._core.must_be_active()
        return ActingAs(self._caller(principal, **request_context), self._core.acting, self._core.must_be_active)

    @property
    def iam(self) -> IamConsole:
        """The policies of principals, accounts and VPC endpoints: all policies but key policies and grants."""
        self._core.must_be_active()
        from pytest_kmsmock._testing.identity.iam_console import IamConsole

        return IamConsole(self._service, self._home(self.region))

    def explain(self, call: CallRecord | BaseException | Caught) -> Explanation:
        """Return why the policies allowed or refused a call, statement by statement; print it.

        Args:
            call: the call; or the error that a client raised, also as `pytest.raises` gives it.

        Raises:
            NoSuchCall: no call of this mock or the mocks around it had this error.
        """
        from pytest_kmsmock._testing.policies import explanation

        return explanation.explain(explanation.find_record(self._core.calls_all_around(), call))

    def simulate(
        self,
        principal: Named | None,
        action: str,
        key: str | KeyView | None = None,
        context: Mapping[str, ContextValue | Iterable[ContextValue]] | None = None,
        *,
        region: str | None = None,
        **params: object,
    ) -> Explanation:
        """Evaluate a permission of a principal without a call: `kms.simulate("role/app", "kms:Encrypt", key)`.

        Args:
            principal: who, as in `credentials`.
            action: the permission, such as `kms:Decrypt` or `kms:ReEncryptFrom`.
            key: the key, by id, ARN or alias, or as `create_key` gives it; None for a permission without a key, such as
                `kms:CreateKey`. `kms:DeleteAlias` takes the alias here; `kms:CreateAlias` and `kms:UpdateAlias` take
                the alias or the key, and the other as the parameter `AliasName` or `TargetKeyId`.
            context: condition keys of the request, with their values; they override those of the request.
            region: the Region called, by default that of the key's ARN or of the mock.
            **params: parameters of the call that conditions and grants use, such as `EncryptionContext`;
                `GrantId` or `GrantToken` of `kms:RetireGrant`.

        Returns:
            The decision; for permissions on aliases, the decisions on the alias and on its keys.

        Raises:
            InvalidOption: a wrong Region.
            InvalidPrincipal: with the forms of a principal.
            InvalidSimulation: the permission, key, alias, grant or parameter does not exist.
        """
        from pytest_kmsmock._testing.policies.simulation import simulate

        if region is not None:
            check_region(region, "simulate()")
        caller = self._caller(principal)
        if context is not None:
            caller = _testing.callers.in_context(caller, context)
        named = None if key is None else str(getattr(key, "arn", key))
        return simulate(self._service, caller, action, named, region or self.region, params)

    def create_key_as_in_console(
        self,
        *,
        alias: str,
        key_type: str = "symmetric",
        usage: str = "ENCRYPT_DECRYPT",
        spec: str | None = None,
        origin: str = "AWS_KMS",
        multi_region: bool = False,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        administrators: str | Iterable[str] = (),
        users: str | Iterable[str] = (),
        other_accounts: str | Iterable[str] = (),
        allow_deletion: bool = True,
        region: str | None = None,
    ) -> KeyView:
        """Create a key as the create-key wizard of the AWS console does, with the key policy that it writes.

        Like `create_key` it needs no permission, and is not among the calls.

        Args:
            alias: its alias, with its `alias/`; required, as in the wizard.
            key_type: `symmetric` or `asymmetric`, the wizard's first question.
            usage: its KeyUsage.
            spec: its KeySpec; by default `SYMMETRIC_DEFAULT`, and `HMAC_256` for GENERATE_VERIFY_MAC. Required for an
                asymmetric key.
            origin: its Origin, `AWS_KMS` or `EXTERNAL`.
            multi_region: whether it is a multi-Region primary key.
            description: its description.
            tags: its tags.
            administrators: users and roles of its account that may administer it: ARNs or `role/NAME`.
            users: users and roles of its account that may use it: ARNs or `role/NAME`.
            other_accounts: accounts that may use it: ids, or ARNs of their root users.
            allow_deletion: whether administrators may delete it.
            region: its Region, by default that of the mock.

        Raises:
            InvalidPrincipal: a wrong account, user or role.
            InvalidSeed: the wizard would refuse the key.
        """
        answers = {name: value for name, value in locals().items() if name != "self"}
        self._core.must_be_active()
        from pytest_kmsmock._testing.seeds import console_wizard
        from pytest_kmsmock._testing.views import key_view

        answers["region"] = self.region if region is None else region
        key = console_wizard.create_key(self._service, self._home(self.region), console_wizard.Answers(**answers))
        return key_view.KeyView(self._service, key)

    def _home(self, region: str) -> Home:
        return Home(self.account, partition_of(region))
