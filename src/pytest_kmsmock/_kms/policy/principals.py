"""Principals, and how the Principal element of a policy matches them.

A principal is an identity without policies; callers pass its policies to
`pytest_kmsmock._kms.policy.decision.evaluate`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PrincipalKind(Enum):
    """The kinds of callers; the values are those of `aws:PrincipalType`.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """

    ROOT = "Account"
    USER = "User"
    ROLE = "Role"
    ASSUMED_ROLE = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    SERVICE = "Service"


class Match(IntEnum):
    """How closely a Principal element matches the caller; higher is closer.

    ACCOUNT in a key policy delegates to the IAM policies of that account. ISSUER is the role of a role session or the
    user of a federated user, still limited by permissions boundary and session policies. DIRECT is the caller itself,
    or everyone.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    NONE = 0
    ACCOUNT = 1
    ISSUER = 2
    DIRECT = 3


ACCOUNT_ID = r"[0-9]{12}"
SERVICE_NAME = r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)"
#: AWS's own roles, such as `role/aws:ec2-infrastructure`, have a prefix.
_NAME = r"(?:(?<=:role/)aws:)?[\w+=,.@-]+"
_ARN = (
    rf"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::(?P<account>[0-9]{{12}}):"
    rf"(?P<kind>root|user|role|assumed-role|federated-user)(?:/(?P<path>(?:[\x21-\x7e]+/)?)(?P<name>{_NAME}))?"
)
_KINDS = {
    ("iam", "root"): PrincipalKind.ROOT,
    ("iam", "user"): PrincipalKind.USER,
    ("iam", "role"): PrincipalKind.ROLE,
    ("sts", "assumed-role"): PrincipalKind.ASSUMED_ROLE,
    ("sts", "federated-user"): PrincipalKind.FEDERATED_USER,
}


class MalformedPrincipal(ValueError):
    """A principal ARN with an invalid path or name."""


class Principal(Record):
    """An identity that can make requests.

    Attributes:
        arn: The caller's ARN as AccessDeniedException prints it: the session ARN of a role session. For an AWS service,
            which has no ARN, its name, such as `s3.amazonaws.com`.
        kind: The kind of principal, from the ARN.
        account: 12-digit account id; empty for an AWS service.
        partition: Partition of the ARN.
        name: Friendly name of the user, role or federated user; the session name of a role session.
        issuer_arn: ARN of the role of a role session, or of the user behind a federated user; None for others.
        provider: Identity provider of a web identity or SAML session, as in the `Federated` entry of a Principal
            element; None for others.
        tags: Tags of the principal and session tags, in pairs of key and value.
        org_id: Id of its AWS organization, such as `o-a1b2c3d4e5`; None without an organization.
        identity: All that Principal elements compare, as one string; a key for caches. `parse` sets it.
    """

    arn: str
    kind: PrincipalKind
    account: str
    partition: str
    name: str
    issuer_arn: str | None = None
    provider: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    org_id: str | None = None
    identity: str = ""

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        tags: Mapping[str, str] | None = None,
        org_id: str | None = None,
        issuer_arn: str | None = None,
        provider: str | None = None,
    ) -> Principal:
        """Parse a principal's ARN, a service name, or a 12-digit account id (for its root user).

        Args:
            text: ARN of a root user, user, role, role session or federated user; or `<service>.amazonaws.com`; or an
                account id.
            tags: Tags of the principal and session tags.
            org_id: Id of its AWS organization.
            issuer_arn: ARN of the role of a session. Needed only if the role has a path, which session ARNs omit; by
                default derived from the session ARN. For a federated user: ARN of the user who called
                GetFederationToken.
            provider: Identity provider of a web identity or SAML session.

        Raises:
            MalformedPrincipal: For a principal ARN with an invalid path or name, such as a session with a path.
            ValueError: For any other string.

        See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        """
        pairs = tuple((tags or {}).items())
        if re.fullmatch(SERVICE_NAME, text):
            name, identity = text.partition(".")[0], f"{text}|None|None"
            return cls(text, PrincipalKind.SERVICE, "", "aws", name, None, None, pairs, org_id, identity)
        arn = f"arn:aws:iam::{text}:root" if re.fullmatch(ACCOUNT_ID, text) else text
        found = re.fullmatch(_ARN, arn, re.ASCII)
        kind = _KINDS.get((found["service"], found["kind"])) if found else None
        if found is None or kind is None or not _well_formed(kind, found["path"], found["name"]):
            raise (ValueError if kind is None else MalformedPrincipal)(
                f"{text!r} is not a principal: give the ARN of a root user, user, role, assumed-role session or "
                f"federated user, a service such as 's3.amazonaws.com', or a 12-digit account id"
            )
        if issuer_arn is None and kind is PrincipalKind.ASSUMED_ROLE:
            role = found["path"].removesuffix("/")
            issuer_arn = f"arn:{found['partition']}:iam::{found['account']}:role/{role}"
        name = found["name"] or found["account"]
        identity = f"{arn}|{issuer_arn}|{provider}"
        return cls(arn, kind, found["account"], found["partition"], name, issuer_arn, provider, pairs, org_id, identity)

    @property
    def account_arn(self) -> str:
        """ARN of the root user of the caller's account, which represents the account in policies."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def is_service(self) -> bool:
        """Whether the caller is an AWS service principal, which does not belong to an account."""
        return self.kind is PrincipalKind.SERVICE

    def principal_arn(self) -> str | None:
        """The value of `aws:PrincipalArn`; for a role session that is the role's ARN."""
        if self.is_service:
            return None
        return self.issuer_arn if self.kind is PrincipalKind.ASSUMED_ROLE else self.arn

    @property
    def unique_id(self) -> str | None:
        """The value of `aws:userid` and of CloudTrail's `principalId`; None for an AWS service.

        Ids that IAM assigns (`AIDA…`, `AROA…`) are generated from the ARN.

        See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
        """
        if self.kind is PrincipalKind.ASSUMED_ROLE:
            return f"{_entity_id('AROA', self.issuer_arn or self.arn)}:{self.name}"
        if self.kind is PrincipalKind.FEDERATED_USER:
            return f"{self.account}:{self.name}"
        if self.kind in _ID_PREFIXES:
            return _entity_id(_ID_PREFIXES[self.kind], self.arn)
        return self.account or None

    def condition_value(self, key: str) -> tuple[str, ...] | None:
        """Return the value of a condition key with a property of the principal.

        Args:
            key: Condition key in lower case.

        Returns:
            Its values; None if the caller's requests do not have the key, or if it is not a principal property.

        See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
        """
        if key.startswith("aws:principaltag/"):
            # Tag keys are case-insensitive here, as condition keys are.
            value = next((v for k, v in self.tags if k.lower() == key[len("aws:principaltag/") :]), None)
        else:
            value = _KEYS[key](self) if key in _KEYS else None
        return None if value is None else (value,)


_ID_PREFIXES = {PrincipalKind.USER: "AIDA", PrincipalKind.ROLE: "AROA"}
#: Id of a user or role -> its ARN, for ids that were generated.
_ENTITIES: dict[str, str] = {}


def _entity_id(prefix: str, arn: str) -> str:
    made = generated_id(prefix, arn)
    _ENTITIES[made] = arn
    return made


def arn_of_id(unique_id: str) -> str | None:
    """Return the ARN of a user (`AIDA…`), role (`AROA…`) or role session (`AROA…:session`) by its unique id.

    Returns:
        The ARN; None for an id that `Principal.unique_id` has not generated.
    """
    entity_id, _, session = unique_id.partition(":")
    arn = _ENTITIES.get(entity_id)
    if arn is None or not session:
        return arn
    partition, account, role = arn.split(":")[1], arn.split(":")[4], arn.rpartition("/")[2]
    return f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}"


def generated_id(prefix: str, arn: str, length: int = 17) -> str:
    """Return an id in IAM's format, derived from an ARN.

    Args:
        prefix: The prefix of the kind of id, such as `AIDA`.
        arn: ARN of the identified resource.
        length: Number of characters after the prefix.
    """
    return prefix + base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:length]


def organization_of(account: str) -> str:
    """Return a generated organization id, for accounts whose organization a test does not set."""
    return generated_id("o-", account, 10).lower()


def organization_path(org_id: str) -> str:
    """Return the path of an account directly under the root of its organization; the root's id is generated."""
    return f"{org_id}/{generated_id('r-', org_id, 4).lower()}/"


def management_account(org_id: str) -> str:
    """Return a generated id of the management account of an organization."""
    return str(int(hashlib.sha256(org_id.encode()).hexdigest(), 16) % 10**12).zfill(12)


def _well_formed(kind: PrincipalKind, path: str | None, name: str | None) -> bool:
    if kind is PrincipalKind.ROOT:
        return name is None
    if kind is PrincipalKind.ASSUMED_ROLE:
        return bool(name) and bool(path) and str(path).count("/") == 1
    return bool(name) and (kind is not PrincipalKind.FEDERATED_USER or not path)


_KEYS: dict[str, Callable[[Principal], str | None]] = {
    "aws:principalarn": Principal.principal_arn,
    "aws:principalaccount": lambda p: p.account or None,
    "aws:principalorgid": lambda p: p.org_id,
    "aws:principalorgpaths": lambda p: None if p.org_id is None else organization_path(p.org_id),
    "aws:principaltype": lambda p: None if p.is_service else p.kind.value,
    "aws:principalisawsservice": lambda p: "true" if p.is_service else "false",
    "aws:principalservicename": lambda p: p.arn if p.is_service else None,
    "aws:userid": lambda p: p.unique_id,
    "aws:federatedprovider": lambda p: p.provider if p.kind is PrincipalKind.ASSUMED_ROLE else None,
    "aws:username": lambda p: p.name if p.kind is PrincipalKind.USER else None,
    "kms:calleraccount": lambda p: p.account or None,
}


class PrincipalElement(Record):
    """The Principal or NotPrincipal element of a statement.

    Attributes:
        everyone: Whether it is `*`.
        accounts: Account ids in `AWS`, from ids and root ARNs.
        arns: The other ARNs in `AWS`.
        services: The entries of `Service`.
        federated: The entries of `Federated`.
        negated: Whether it is a NotPrincipal.
        partitions: Partitions of all ARNs in `AWS`.
    """

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    arns: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()
    negated: bool = False
    partitions: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name of the element."""
        return "NotPrincipal" if self.negated else "Principal"

    def match(self, principal: Principal, *, deny: bool) -> Match:
        """Return how closely the element matches a caller.

        A NotPrincipal exempts a caller from a Deny only if it lists the caller's account, role and session; it exempts
        a caller from an Allow if it lists any of them. AWS requires the first and warns of the second.

        Args:
            principal: The caller.
            deny: Whether the statement's effect is Deny.

        Returns:
            NONE if the statement does not apply to the caller.

        See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        forms = self._forms(principal)
        if not self.negated:
            return max((match for match, named in forms if named), default=Match.NONE)
        exempt = (all if deny else any)(named for _, named in forms)
        return Match.NONE if exempt else Match.DIRECT

    def _forms(self, principal: Principal) -> list[tuple[Match, bool]]:
        """Return each form of the caller (session, role, account) with whether the element lists it."""
        if self.everyone:
            return [(Match.DIRECT, True)]
        if principal.is_service:
            return [(Match.DIRECT, principal.arn in self.services)]
        by_account = principal.account in self.accounts
        if principal.kind is PrincipalKind.ROOT:
            return [(Match.DIRECT, by_account)]
        # Listing a role does not list its sessions; a caller given as a role has the limits of its sessions.
        closest = Match.ISSUER if principal.kind is PrincipalKind.ROLE else Match.DIRECT
        itself = principal.arn in self.arns or principal.provider in self.federated
        forms = [(closest, itself), (Match.ACCOUNT, by_account)]
        if principal.issuer_arn is not None:
            forms.append((Match.ISSUER, principal.issuer_arn in self.arns))
        return forms
