"""`KmsMock.iam`: policies of principals, accounts and VPC endpoints, of IAM and Organizations on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._kms.state.attached_policies import FULL_ACCESS, policy_holder
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import check_type
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal, NotActive

from .callers import make_caller
from .credentials import Home, Named
from .policy_text import Document, policy_text
from .request_context import check_request_context

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.attached_policies import Iam


_IN_IAM = (PrincipalKind.USER, PrincipalKind.ROLE)
_HAS_NO_POLICIES = "has no IAM policies: they are attached to users and roles."
_CANNOT_BE_MISSING = "cannot be missing: only users and roles come and go."


@check_arguments("iam.")
class IamConsole:
    """Attaches policies. A nested mock starts with those of the outer mock; its changes end with it.

    Policies are JSON strings, mappings, or files (`pathlib.Path`). Principals are given by ARN, in short for the mock's
    own account (`user/alice`, `role/app`), or by their credentials. A role session has the policies of its role.
    """

    __slots__ = ("_home", "_service")

    def __init__(self, service: FakeKms, home: Home) -> None:
        self._service = service
        self._home = home

    @property
    def _iam(self) -> Iam:
        if self._service.clock.ended:
            raise NotActive
        return self._service.state.iam

    def _text(self, policy: Document, kind: PolicyKind, where: str) -> str:
        return policy_text(policy, kind, where, partition=self._home.partition)

    def attach(self, principal: Named, *policies: Document) -> None:
        """Attach identity policies to a user or role.

        Raises:
            InvalidPolicy: AWS would refuse a policy, or none is given.
            InvalidPrincipal: not a principal, or one without IAM policies, such as a root user or an AWS service.
        """
        holder = self._policy_holder(principal)
        if not policies:
            raise InvalidPolicy(f"iam.attach({holder}): no policy is given.")
        texts = tuple(self._text(policy, PolicyKind.IDENTITY, f"iam.attach({holder})") for policy in policies)
        self._iam.identity[holder] = (*self._iam.identity.get(holder, ()), *texts)
        self._iam.clear_cache()

    def detach(self, principal: Named, *policies: Document) -> None:
        """Detach identity policies from a user or role; all of them if none is given.

        Raises:
            InvalidPolicy: a policy is not attached.
            InvalidPrincipal: not a user or role.
        """
        holder = self._policy_holder(principal)
        attached = list(self._iam.identity.get(holder, ()))
        for policy in policies:
            text = self._text(policy, PolicyKind.IDENTITY, f"iam.detach({holder})")
            if text not in attached:
                raise InvalidPolicy(f"iam.detach({holder}): this policy is not attached. Attached are: {attached}")
            attached.remove(text)
        self._iam.identity[holder] = tuple(attached) if policies else ()
        self._iam.clear_cache()

    def boundary(self, principal: Named, policy: Document | None) -> None:
        """Set the permissions boundary of a user or role; None removes it.

        Raises:
            InvalidPolicy: AWS would refuse the policy.
            InvalidPrincipal: not a user or role.
        """
        holder = self._policy_holder(principal)
        if policy is None:
            self._iam.boundaries.pop(holder, None)
        else:
            self._iam.boundaries[holder] = self._text(policy, PolicyKind.BOUNDARY, f"iam.boundary({holder})")
        self._iam.clear_cache()

    def service_control(self, *policies: Document, account: str | None = None, full_access: bool = True) -> None:
        """Attach service control policies to one level of an account's organization.

        Each call is one more level: the root, organizational units, the account. At each level at least one policy must
        allow the call.

        Args:
            *policies: the policies; none removes all levels.
            account: the account, by default that of the mock.
            full_access: whether AWS's `FullAWSAccess` is attached to the level too, as Organizations does by default.

        Raises:
            InvalidPolicy: AWS would refuse the policy, or `full_access` is neither True nor False.
        """
        check_type(full_access, bool, "iam.service_control(): full_access", error=InvalidPolicy)
        owner = self._owner(account)
        texts = tuple(self._text(policy, PolicyKind.SERVICE_CONTROL, "iam.service_control()") for policy in policies)
        if texts:
            level = (FULL_ACCESS, *texts) if full_access else texts
            self._iam.service_control[owner] = (*self._iam.service_control.get(owner, ()), level)
        else:
            self._iam.service_control.pop(owner, None)
        self._iam.clear_cache()

    def resource_control(self, *policies: Document, account: str | None = None) -> None:
        """Attach resource control policies to the account that owns the keys, in addition to existing ones.

        Args:
            *policies: the policies, which can only deny; none removes all of them.
            account: the account, by default that of the mock.

        Raises:
            InvalidPolicy: AWS would refuse the policy.
        """
        owner = self._owner(account)
        texts = tuple(self._text(policy, PolicyKind.RESOURCE_CONTROL, "iam.resource_control()") for policy in policies)
        self._iam.resource_control[owner] = (*self._iam.resource_control.get(owner, ()), *texts) if texts else ()
        self._iam.clear_cache()

    def vpc_endpoint_policy(self, endpoint: str, policy: Document | None) -> None:
        """Set the policy of a VPC endpoint, which applies to requests of credentials with `source_vpce`.

        Args:
            endpoint: its id, such as `vpce-1234abcdf5678c90a`.
            policy: the policy; None removes it, so that everything is allowed.

        Raises:
            InvalidPolicy: AWS would refuse the policy.
            InvalidPrincipal: a wrong id of a VPC endpoint.
        """
        check_request_context(None, {"source_vpce": endpoint})
        if policy is None:
            self._iam.vpc_endpoints.pop(endpoint, None)
        else:
            self._iam.vpc_endpoints[endpoint] = self._text(policy, PolicyKind.VPC_ENDPOINT, f"policy of {endpoint}")
        self._iam.clear_cache()

    def missing(self, *principals: Named) -> None:
        """Mark users or roles as missing: from then on, key policies and grants that name them are refused.

        Raises:
            InvalidPrincipal: not a user or role.
        """
        self._iam.missing |= {self._policy_holder(principal, _CANNOT_BE_MISSING) for principal in principals}

    def _owner(self, account: str | None) -> str:
        """Return the account of control policies.

        Raises:
            InvalidPrincipal: a wrong account.
        """
        if account is not None:
            check_request_context(None, {"account": account})
        return self._home.account if account is None else account

    def _policy_holder(self, principal: Named, refusal: str = _HAS_NO_POLICIES) -> str:
        """Return the ARN of a user or role, or of the role of a session.

        Raises:
            InvalidPrincipal: another principal; `refusal` is the message.
        """
        holder = policy_holder(make_caller(principal, self._home, {}).principal)
        if Principal.parse(holder).kind not in _IN_IAM:
            raise InvalidPrincipal(f"{holder} {refusal}")
        return holder
