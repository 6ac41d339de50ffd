from __future__ import annotations

import json
import re

import pytest

from pytest_kmsmock._kms.policy import (
    ApplicableGrant,
    Denial,
    Match,
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    default_key_policy,
    evaluate,
    would_lock_out,
)
from pytest_kmsmock._kms.policy import decision as decision_module
from pytest_kmsmock._kms.policy.evaluation import Origin

ACCOUNT = "111122223333"
OTHER = "444455556666"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
USER = f"arn:aws:iam::{ACCOUNT}:user/Alice"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/build"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/Eve"
STRANGER = f"arn:aws:iam::{OTHER}:user/Bob"
ABROAD = f"arn:aws:sts::{OTHER}:assumed-role/Reader/build"


def statement(principal=None, effect="Allow", action="kms:*", resource="*", **changes):
    found = {"Effect": effect, "Action": action, "Resource": resource} | changes
    return found if principal is None else found | {"Principal": principal if principal == "*" else {"AWS": principal}}


def policy(kind, *statements):
    return compile_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def key(*statements):
    return policy(PolicyKind.KEY, *statements)


def identity(*statements):
    return policy(PolicyKind.IDENTITY, *statements)


ENABLE_IAM = key(statement(ROOT))
ADMINISTRATOR = identity(statement(action="*"))
ANYTHING = policy(PolicyKind.BOUNDARY, statement(action="*"))
GRANT = ApplicableGrant("0c237476", Match.DIRECT, ACCOUNT)
DENY = {"effect": "Deny"}
NOTHING = "s3:GetObject"


def decide(caller=USER, policies=None, *, action="kms:Encrypt", grant=None, **changes):
    principal = caller if isinstance(caller, Principal) else Principal.parse(caller)
    request = Request(principal, action, **({"resource": KEY, "account": ACCOUNT} | changes))
    return evaluate(request, policies or Policies(), lambda: () if grant is None else (grant,))


@pytest.mark.parametrize(
    ("caller", "policies", "denial"),
    [
        # KMS Developer Guide, "Default key policy" and "Troubleshooting key access"
        pytest.param(USER, Policies((ENABLE_IAM,), (ADMINISTRATOR,)), None, id="account and IAM policy"),
        pytest.param(USER, Policies((ENABLE_IAM,)), Denial.IDENTITY, id="account alone gives users nothing"),
        pytest.param(USER, Policies((key(statement(ROOT, action=NOTHING)),), (ADMINISTRATOR,)), Denial.RESOURCE,
                     id="IAM policy alone gives nothing"),
        pytest.param(USER, Policies((key(statement(ACCOUNT)),), (ADMINISTRATOR,)), None, id="account by its id"),
        pytest.param(ROOT, Policies((ENABLE_IAM,)), None, id="root user by the account statement"),
        pytest.param(ROOT, Policies((key(statement(USER)),)), Denial.RESOURCE, id="root user without a statement"),
        pytest.param(USER, Policies((key(statement(USER)),)), None, id="user named, no IAM policy"),
        pytest.param(SESSION, Policies((key(statement(ROLE)),)), None, id="role named, called by its session"),
        pytest.param(SESSION, Policies((key(statement(SESSION)),)), None, id="session named"),
        pytest.param(SESSION, Policies((key(statement(SESSION.replace("build", "x"))),)), Denial.RESOURCE,
                     id="another session named"),
        pytest.param(FEDERATED, Policies((key(statement(FEDERATED)),)), None, id="federated user named"),
        pytest.param(USER, Policies((key(statement("*")),)), None, id="everyone named"),
        pytest.param(USER, Policies((key(statement(USER)),), (identity(statement(**DENY)),)), Denial.IDENTITY_EXPLICIT,
                     id="deny of IAM wins over the key policy"),
        pytest.param(USER, Policies((key(statement(USER, action=NOTHING)),), (identity(statement(**DENY)),)),
                     Denial.IDENTITY_EXPLICIT, id="deny of IAM counts though the key policy does not enable IAM"),
        pytest.param(USER, Policies((key(statement(ROOT), statement(USER, **DENY)),), (ADMINISTRATOR,)),
                     Denial.RESOURCE_EXPLICIT, id="deny of the key policy"),
        pytest.param(USER, Policies((key(statement(ROOT), statement(ROOT, **DENY)),), (ADMINISTRATOR,)),
                     Denial.RESOURCE_EXPLICIT, id="deny of the account denies its users"),
        pytest.param(USER, Policies((ENABLE_IAM,), (ADMINISTRATOR,), boundary=ANYTHING), None, id="boundary too"),
        pytest.param("s3.amazonaws.com", Policies((ENABLE_IAM,)), Denial.OTHER_ACCOUNT, id="service not named"),
        # A service is told no more than a stranger: captured from AWS KMS, 2026-09, where no statement allows.
        pytest.param("s3.amazonaws.com", Policies((key(statement("*"), statement("*", **DENY)),)), Denial.OTHER_ACCOUNT,
                     id="deny of the key policy for a service (inferred)"),
        pytest.param("s3.amazonaws.com",
                     Policies((key({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*",
                                    "Resource": "*"}),)), None, id="service named"),
        pytest.param(USER, Policies((key(statement(USER, action=NOTHING)), ENABLE_IAM), (ADMINISTRATOR,)), None,
                     id="second key policy, of RAM"),
    ],
)  # fmt: skip
def test_a_key_of_the_caller_s_account(caller, policies, denial):
    assert decide(caller, policies).denial is denial


NO_KMS = {
    "boundary": policy(PolicyKind.BOUNDARY, statement(action=NOTHING)),
    "session": (policy(PolicyKind.SESSION, statement(action=NOTHING)),),
}


@pytest.mark.parametrize(
    ("caller", "named", "limit", "denial"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        pytest.param(USER, USER, "boundary", None, id="user named"),
        pytest.param(USER, "*", "boundary", None, id="everyone named"),
        pytest.param(USER, ROOT, "boundary", Denial.BOUNDARY, id="account named"),
        pytest.param(SESSION, SESSION, "boundary", None, id="session named"),
        pytest.param(SESSION, SESSION, "session", None, id="session named, session policy"),
        pytest.param(SESSION, ROLE, "boundary", Denial.BOUNDARY, id="role named"),
        pytest.param(SESSION, ROLE, "session", Denial.SESSION, id="role named, session policy"),
        pytest.param(ROLE, ROLE, "boundary", Denial.BOUNDARY, id="role named, asked as a role"),
        pytest.param(SESSION, ROOT, "session", Denial.SESSION, id="account named, session policy"),
        pytest.param(FEDERATED, FEDERATED, "session", None, id="federated user named"),
        pytest.param(FEDERATED, USER, "session", Denial.SESSION, id="user who federated named"),
    ],
)
def test_an_implicit_deny_limits_what_a_key_policy_gives_unless_it_names_the_caller_itself(
    caller, named, limit, denial
):
    principal = Principal.parse(caller, issuer_arn=USER if caller == FEDERATED else None)
    policies = Policies((key(statement(named)),), (ADMINISTRATOR,), **{limit: NO_KMS[limit]})
    assert decide(principal, policies).denial is denial
    unlimited = Policies((key(statement(named)),), (ADMINISTRATOR,))
    assert decide(principal, unlimited).allowed


def test_a_federated_user_without_session_policy_has_no_permissions_by_iam():
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    assert decide(FEDERATED, Policies((ENABLE_IAM,), (ADMINISTRATOR,), session=())).denial is Denial.SESSION


ALL_DENY = [
    ({"service_control": ((policy(PolicyKind.SERVICE_CONTROL, statement(**DENY)),),)}, Denial.SERVICE_CONTROL_EXPLICIT),
    ({"resource_control": (policy(PolicyKind.RESOURCE_CONTROL, statement("*", **DENY)),)},
     Denial.RESOURCE_CONTROL_EXPLICIT),
    ({"vpc_endpoint": policy(PolicyKind.VPC_ENDPOINT, statement("*", **DENY))}, Denial.VPC_ENDPOINT_EXPLICIT),
    ({"identity": (ADMINISTRATOR, identity(statement(**DENY)))}, Denial.IDENTITY_EXPLICIT),
    ({"key": (ENABLE_IAM, key(statement("*", **DENY)))}, Denial.RESOURCE_EXPLICIT),
    ({"boundary": policy(PolicyKind.BOUNDARY, statement(**DENY))}, Denial.BOUNDARY_EXPLICIT),
    ({"session": (policy(PolicyKind.SESSION, statement(**DENY)),)}, Denial.SESSION_EXPLICIT),
]  # fmt: skip


@pytest.mark.parametrize(("change", "denial"), ALL_DENY)
@pytest.mark.parametrize("grant", [None, GRANT])
def test_an_explicit_deny_of_any_kind_of_policy_wins_also_over_grants(change, denial, grant):
    policies = Policies(**({"key": (ENABLE_IAM, key(statement(USER))), "identity": (ADMINISTRATOR,)} | change))
    assert decide(USER, policies, grant=grant).denial is denial


FULL = policy(PolicyKind.SERVICE_CONTROL, statement(action="*"))
LITTLE = policy(PolicyKind.SERVICE_CONTROL, statement(action=NOTHING))


@pytest.mark.parametrize(
    ("levels", "denial"),
    [
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        pytest.param(((FULL,), (FULL,)), None, id="every level allows"),
        pytest.param(((FULL,), (LITTLE, FULL)), None, id="one policy of the level allows"),
        pytest.param(((FULL,), (LITTLE,)), Denial.SERVICE_CONTROL, id="a level does not allow"),
        pytest.param(((), (FULL,)), Denial.SERVICE_CONTROL, id="a level without policies"),
    ],
)
def test_service_control_policies_must_allow_at_every_level(levels, denial):
    policies = Policies((key(statement(USER)),), service_control=levels)
    assert decide(USER, policies).denial is denial


@pytest.mark.parametrize(
    ("principal", "action", "denial"),
    [("*", "*", None), (USER, "kms:Encrypt", None), (USER, "kms:Decrypt", Denial.VPC_ENDPOINT),
     (STRANGER, "*", Denial.VPC_ENDPOINT)],
)  # fmt: skip
def test_a_vpc_endpoint_policy_must_allow_too(principal, action, denial):
    # https://docs.aws.amazon.com/kms/latest/developerguide/kms-vpc-endpoint.html
    endpoint = policy(PolicyKind.VPC_ENDPOINT, statement(principal, action=action))
    assert decide(USER, Policies((key(statement(USER)),), vpc_endpoint=endpoint)).denial is denial


@pytest.mark.parametrize(
    ("key_policy", "denial"),
    [
        pytest.param(key(statement(ROOT, action=NOTHING)), Denial.RESOURCE, id="nothing allows"),
        pytest.param(ENABLE_IAM, Denial.IDENTITY, id="IAM enabled"),
    ],
)
def test_a_grant_allows_what_no_policy_does(key_policy, denial):
    assert decide(USER, Policies((key_policy,))).denial is denial
    assert decide(USER, Policies((key_policy,)), grant=GRANT).allowed


IAM = {"identity": (ADMINISTRATOR,)}


@pytest.mark.parametrize(
    ("caller", "named", "account", "policies", "denial"),
    [
        # Captured from AWS KMS, 2026-09
        pytest.param(SESSION, Match.ISSUER, ACCOUNT, {}, None, id="role"),
        pytest.param(SESSION, Match.ISSUER, ACCOUNT, {"session": NO_KMS["session"]}, Denial.SESSION,
                     id="role, session policy"),
        pytest.param(SESSION, Match.ISSUER, ACCOUNT, {"boundary": NO_KMS["boundary"]}, Denial.BOUNDARY,
                     id="role, boundary"),
        pytest.param(SESSION, Match.DIRECT, ACCOUNT, NO_KMS, None, id="session, session policy and boundary"),
        pytest.param(FEDERATED, Match.DIRECT, ACCOUNT, {"session": ()}, None, id="federated user, no session policy"),
        pytest.param(STRANGER, Match.DIRECT, ACCOUNT, {}, Denial.IDENTITY, id="foreign, no IAM policy"),
        pytest.param(STRANGER, Match.DIRECT, ACCOUNT, IAM, None, id="foreign, IAM policy"),
        pytest.param(STRANGER, Match.DIRECT, OTHER, {}, None, id="foreign, given by its own account"),
        pytest.param(ABROAD, Match.ISSUER, ACCOUNT, IAM | {"session": NO_KMS["session"]}, Denial.SESSION,
                     id="foreign role, session policy"),
        # Of RetireGrant
        pytest.param(ABROAD, Match.DIRECT, ACCOUNT, IAM | {"session": NO_KMS["session"]}, Denial.IDENTITY,
                     id="foreign session, session policy"),
        # Inferred
        pytest.param(ABROAD, Match.ISSUER, OTHER, {"session": NO_KMS["session"]}, Denial.SESSION,
                     id="foreign role, given by its own account, session policy"),
        pytest.param(STRANGER, Match.DIRECT, "777788889999", {}, Denial.IDENTITY, id="foreign, given by a third"),
        pytest.param(USER, Match.DIRECT, OTHER, {}, None, id="user of the key's account, given by another"),
        pytest.param(USER, Match.DIRECT, ACCOUNT, {"boundary": NO_KMS["boundary"]}, None, id="user, boundary"),
        pytest.param(USER, Match.ACCOUNT, ACCOUNT, {}, Denial.IDENTITY, id="account, no IAM policy"),
        pytest.param(USER, Match.ACCOUNT, ACCOUNT, IAM, None, id="account, IAM policy"),
    ],
)  # fmt: skip
def test_policies_that_a_grant_needs(caller, named, account, policies, denial):
    found = Policies((key(statement(ROOT, action=NOTHING)),), **policies)
    grant = ApplicableGrant("0c237476", named, account)
    decision = decide(caller, found, grant=grant)
    assert decision.denial is denial
    line = str(decision.explain()[-2])
    if denial is None:
        assert line == "+ grants: grant 0c237476 allows the request"
    else:
        reason = denial.value.format(action="kms:Encrypt")
        assert line == f"- grants: grant 0c237476 is not enough: {reason}"


def test_one_of_several_grants_is_enough_and_the_first_says_what_is_missing():
    policies = Policies((key(statement(ROOT, action=NOTHING)),), **NO_KMS)
    of_role, of_session, of_account = (
        ApplicableGrant("g", named, ACCOUNT) for named in (Match.ISSUER, Match.DIRECT, Match.ACCOUNT)
    )
    request = Request(Principal.parse(SESSION), "kms:Encrypt", KEY, ACCOUNT)
    assert evaluate(request, policies, lambda: (of_role, of_session)).allowed
    assert evaluate(request, policies, lambda: (of_role, of_account)).denial is Denial.BOUNDARY
    assert evaluate(request, policies, lambda: (of_account, of_role)).denial is Denial.IDENTITY


def test_grants_are_not_evaluated_if_a_policy_allows():
    def unexpected():
        raise AssertionError

    request = Request(Principal.parse(USER), "kms:Encrypt", KEY, ACCOUNT)
    assert evaluate(request, Policies((key(statement(USER)),)), unexpected).allowed


@pytest.mark.parametrize(
    ("policies", "grant", "cross_account", "denial"),
    [
        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
        pytest.param(Policies((key(statement(STRANGER)),), (ADMINISTRATOR,)), None, True, None, id="both sides, user"),
        pytest.param(Policies((key(statement(OTHER)),), (ADMINISTRATOR,)), None, True, None, id="both sides, account"),
        pytest.param(Policies((key(statement("*")),), (ADMINISTRATOR,)), None, True, None, id="both sides, everyone"),
        pytest.param(Policies((key(statement(STRANGER)),)), None, True, Denial.IDENTITY, id="key policy only"),
        pytest.param(Policies((key(statement("*")),)), None, True, Denial.IDENTITY, id="everyone, key policy only"),
        pytest.param(Policies((ENABLE_IAM,), (ADMINISTRATOR,)), None, True, Denial.OTHER_ACCOUNT, id="IAM policy only"),
        pytest.param(Policies((ENABLE_IAM,)), GRANT, True, Denial.IDENTITY, id="grant"),
        pytest.param(Policies((ENABLE_IAM,), (ADMINISTRATOR,)), GRANT, True, None, id="grant and IAM policy"),
        pytest.param(Policies((key(statement(STRANGER)),), (ADMINISTRATOR,)), None, False, Denial.OTHER_ACCOUNT,
                     id="operation does not work across accounts"),
        pytest.param(Policies((ENABLE_IAM,), (ADMINISTRATOR,)), GRANT, False, Denial.OTHER_ACCOUNT,
                     id="nor by a grant"),
        pytest.param(Policies((key(statement("*", **DENY)),), (ADMINISTRATOR,)), None, True, Denial.OTHER_ACCOUNT,
                     id="deny of the key policy"),
        pytest.param(Policies((key(statement(STRANGER)),), (identity(statement(**DENY)),)), None, True,
                     Denial.IDENTITY_EXPLICIT, id="deny of the own account"),
        pytest.param(Policies((key(statement(STRANGER)),), (ADMINISTRATOR,), boundary=NO_KMS["boundary"]), None, True,
                     Denial.BOUNDARY, id="boundary limits, though the user is named"),
    ],
)  # fmt: skip
def test_a_key_of_another_account(policies, grant, cross_account, denial):
    assert decide(STRANGER, policies, grant=grant, cross_account=cross_account).denial is denial


@pytest.mark.parametrize(
    ("caller", "policies", "denial"),
    [
        pytest.param(USER, Policies(identity=(ADMINISTRATOR,)), None, id="IAM policy allows"),
        pytest.param(USER, Policies(), Denial.IDENTITY, id="no IAM policy"),
        pytest.param(ROOT, Policies(), None, id="root user needs none"),
        pytest.param(ROOT, Policies(service_control=((LITTLE,),)), Denial.SERVICE_CONTROL, id="root user under an SCP"),
        pytest.param(USER, Policies(identity=(ADMINISTRATOR,), boundary=NO_KMS["boundary"]), Denial.BOUNDARY,
                     id="boundary"),
        pytest.param("s3.amazonaws.com", Policies(), Denial.IDENTITY, id="service"),
        pytest.param(USER, Policies(identity=(identity(statement(resource="arn:aws:kms:*:*:key/*")),)), Denial.IDENTITY,
                     id="resource of a key does not cover an action without resource"),
    ],
)  # fmt: skip
def test_an_action_without_a_key_is_for_iam_alone(caller, policies, denial):
    # https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html
    assert decide(caller, policies, action="kms:CreateKey", resource="*", account="").denial is denial


SAYS = f"User: {USER} is not authorized to perform: kms:Encrypt on resource: {KEY} "
FOREIGN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)


@pytest.mark.parametrize(
    ("denial", "end"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        (Denial.IDENTITY, "because no identity-based policy allows the kms:Encrypt action"),
        (Denial.RESOURCE, "because no resource-based policy allows the kms:Encrypt action"),
        (Denial.BOUNDARY, "because no permissions boundary allows the kms:Encrypt action"),
        (Denial.SESSION, "because no session policy allows the kms:Encrypt action"),
        (Denial.SERVICE_CONTROL, "because no service control policy allows the kms:Encrypt action"),
        (Denial.VPC_ENDPOINT, "because no VPC endpoint policy allows the kms:Encrypt action"),
        (Denial.IDENTITY_EXPLICIT, "with an explicit deny in an identity-based policy"),
        (Denial.RESOURCE_EXPLICIT, "with an explicit deny in a resource-based policy"),
        (Denial.SESSION_EXPLICIT, "with an explicit deny in a session policy"),
        (Denial.VPC_ENDPOINT_EXPLICIT, "with an explicit deny in a VPC endpoint policy"),
    ],
)
def test_a_denial_has_the_message_of_aws_for_the_policy(denial, end):
    decision = decide(USER, Policies((ENABLE_IAM,)))
    assert decision.message == SAYS + Denial.IDENTITY.value.format(action="kms:Encrypt")
    request = decision.request
    assert type(decision)(denial, request, decision.policies).message == SAYS + end


ORGANIZATION = r"arn:aws:organizations::[0-9]{12}:policy/(?P<org>o-[a-z0-9]{10})/"


@pytest.mark.parametrize(
    ("kind", "arn"),
    [
        # Captured from AWS KMS, September 2026; the others are AWS's example and of other services.
        pytest.param(PolicyKind.RESOURCE_CONTROL, ORGANIZATION + r"resource_control_policy/p-[a-z0-9]{8}", id="RCP"),
        pytest.param(PolicyKind.SERVICE_CONTROL, ORGANIZATION + r"service_control_policy/p-[a-z0-9]{8}", id="SCP"),
        pytest.param(PolicyKind.BOUNDARY, rf"arn:aws:iam::{ACCOUNT}:policy/[a-z0-9-]+", id="boundary"),
    ],
)
def test_the_message_of_a_denial_by_a_managed_policy_ends_with_its_arn(kind, arn):
    # https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
    idle, denying = (
        policy(
            kind,
            statement("*" if kind.names_principals else None, **DENY, Condition={"Bool": {"aws:ViaAWSService": value}}),
        )
        for value in ("true", "false")
    )
    direct = {"aws:viaawsservice": ("false",)}

    def reason(caller=USER, attached=(idle, denying), **context):
        policies = {
            PolicyKind.RESOURCE_CONTROL: {"resource_control": attached},
            PolicyKind.SERVICE_CONTROL: {"service_control": ((ANYTHING, *attached),)},
            PolicyKind.BOUNDARY: {"boundary": attached[-1]},
        }[kind]
        given = direct | {f"aws:{name}": (value,) for name, value in context.items()}
        message = decide(
            caller, Policies((key(statement("*")),), (ADMINISTRATOR,), **policies), context=given.get
        ).message
        return message.partition(f"with an explicit deny in a {kind.value}")[2]

    assert re.fullmatch(": " + arn, reason())
    assert reason() == reason(attached=(denying,))
    of_organization = re.fullmatch(": " + arn, reason(principalorgid="o-a1b2c3d4e5"))
    assert of_organization is not None
    assert of_organization.groupdict().get("org", "o-a1b2c3d4e5") == "o-a1b2c3d4e5"
    # "The ARN of the denying policy is only provided in same-account and same-organization scenarios."
    assert reason(STRANGER) == reason(STRANGER, principalorgid="o-a1b2c3d4e5") == ""
    assert reason(STRANGER, principalorgid="o-a1b2c3d4e5", resourceorgid="o-aaaaaaaaaa") == ""
    assert reason(STRANGER, principalorgid="o-a1b2c3d4e5", resourceorgid="o-a1b2c3d4e5").startswith(": arn:aws:")


def test_the_message_of_a_denied_action_without_a_resource_has_the_arn_of_the_policy():
    policies = Policies(service_control=((policy(PolicyKind.SERVICE_CONTROL, statement(action="kms:*", **DENY)),),))
    message = decide(USER, policies, action="kms:CreateKey", resource="*", account="").message
    assert re.search(r"in a service control policy: arn:aws:organizations::", message)


def test_an_allowed_request_has_no_message():
    assert decide(USER, Policies((key(statement(USER)),))).message == ""


def test_the_message_for_a_key_of_another_account_does_not_name_it():
    # kubernetes-sigs/aws-encryption-provider#141
    assert decide(STRANGER, Policies((ENABLE_IAM,), (ADMINISTRATOR,))).message == (
        f"User: {STRANGER} is not authorized to perform: kms:Encrypt on this resource {FOREIGN}"
    )


def test_the_message_for_a_service_does_not_name_the_key():
    # Captured from AWS KMS, 2026-09
    assert decide("s3.amazonaws.com", Policies((ENABLE_IAM,))).message == (
        f"User: s3.amazonaws.com is not authorized to perform: kms:Encrypt on this resource {FOREIGN}"
    )


def test_the_message_for_a_key_known_from_a_ciphertext_does_not_name_it():
    # Recorded through Amazon S3 in public incident logs
    decision = decide(STRANGER, Policies((ENABLE_IAM,)), action="kms:Decrypt", from_ciphertext=True)
    assert decision.message == (
        f"User: {STRANGER} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
        f"{FOREIGN}"
    )


def test_a_key_of_the_caller_s_account_is_named_if_known_only_from_a_ciphertext():
    # Captured from AWS KMS, 2026-09
    decision = decide(USER, Policies((ENABLE_IAM,)), action="kms:Decrypt", from_ciphertext=True)
    assert decision.message == (
        f"User: {USER} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based policy "
        f"allows the kms:Decrypt action"
    )


def test_a_denial_in_the_callers_account_does_not_name_a_key_of_another():
    # Captured from AWS KMS, 2026-09
    assert decide(STRANGER, Policies((ENABLE_IAM,)), grant=GRANT).message == (
        f"User: {STRANGER} is not authorized to perform: kms:Encrypt on this resource because no identity-based policy "
        f"allows the kms:Encrypt action"
    )


def test_the_caller_of_a_role_session_is_the_session():
    message = decide(SESSION, Policies(), action="kms:CreateKey", resource="*", account="").message
    assert message == (
        f"User: {SESSION} is not authorized to perform: kms:CreateKey on resource: * because no identity-based policy "
        f"allows the kms:CreateKey action"
    )


def test_an_explanation_says_of_each_statement_why_it_applies_or_not():
    via = {"StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"}}
    policies = Policies(
        (key(
            statement(ROOT, Sid="Enable IAM"),
            statement(SESSION),
            statement(USER, Condition=via),
            statement(USER, action=["kms:Sign", "kms:Verify"]),
            {"Effect": "Deny", "NotPrincipal": {"AWS": [USER, ROOT]}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": "*", "Action": "kms:*"},
            {"Effect": "Allow", "Principal": "*", "Resource": "*"},
        ),),
        (identity(statement(action="s3:*")), identity(statement(resource="arn:aws:kms:*:*:alias/*"))),
    )  # fmt: skip
    steps = [str(step) for step in decide(USER, policies).explain()]
    name = "resource-based policy, statement"
    assert steps == [
        f"+ {name} 1 ('Enable IAM'): lets IAM policies of the account allow kms:Encrypt",
        f"- {name} 2: its Principal does not name {USER}",
        f"- {name} 3: StringEquals kms:ViaService: the policy says 's3.us-west-2.amazonaws.com', the request does not "
        f"have it",
        f"- {name} 4: its Action [kms:Sign, kms:Verify] does not cover kms:Encrypt",
        f"- {name} 5: its NotPrincipal exempts {USER}",
        f"- {name} 6: it has no Resource, so it has no effect",
        f"- {name} 7: it has no Action, so it has no effect",
        "- identity-based policy 1, statement 1: its Action [s3:*] does not cover kms:Encrypt",
        f"- identity-based policy 2, statement 1: its Resource [arn:aws:kms:*:*:alias/*] does not cover {KEY}",
        "- grants: no grant allows the request",
        f"- decision: {SAYS}because no identity-based policy allows the kms:Encrypt action",
    ]


def test_a_permissions_boundary_changes_nothing_about_an_allow_with_not_principal():
    exempting = {"Effect": "Allow", "NotPrincipal": {"AWS": [USER]}, "Action": "kms:*", "Resource": "*"}
    decision = decide(USER, Policies((key(exempting),), (ADMINISTRATOR,), boundary=ANYTHING))
    assert decision.denial is Denial.RESOURCE
    assert f"- resource-based policy, statement 1: its NotPrincipal exempts {USER}" in [
        str(step) for step in decision.explain()
    ]


def test_who_has_a_permissions_boundary_is_never_exempt_from_a_deny():
    # IAM User Guide, "Permissions boundaries for IAM entities": "regardless of the values specified"
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    exempting = {"Effect": "Deny", "NotPrincipal": {"AWS": [USER, ROOT]}, "Action": "kms:Encrypt", "Resource": "*"}
    boundary = policy(PolicyKind.BOUNDARY, statement(action="*"))
    name = "resource-based policy, statement"
    for more, context, expected in (
        ({}, {}, Denial.RESOURCE_EXPLICIT),
        ({"Condition": tls}, {"aws:securetransport": ("false",)}, Denial.RESOURCE_EXPLICIT),
        ({"Condition": tls}, {"aws:securetransport": ("true",)}, None),
        ({"Action": "kms:Decrypt"}, {}, None),
        ({"Resource": "arn:aws:kms:*:*:alias/*"}, {}, None),
    ):
        policies = Policies((key(statement(USER), exempting | more),), boundary=boundary)
        for _ in range(2):  # what was decided before must not decide for another context
            assert decide(USER, policies, context={"aws:securetransport": ("true",)}.get).denial in (None, expected)
            decision = decide(USER, policies, context=context.get)
            assert decision.denial is expected
        denying = [str(step) for step in decision.explain() if str(step).startswith(f"+ {name} 2: denies kms:Encrypt")]
        assert len(denying) == (expected is not None)
        assert decide(USER, Policies((key(statement(USER), exempting | more),)), context=context.get).allowed


def test_a_permissions_boundary_does_not_change_other_statements():
    boundary = policy(PolicyKind.BOUNDARY, statement(action="*"))
    policies = Policies((key(statement(USER), statement(ROLE, **DENY)),), boundary=boundary)
    decision = decide(USER, policies)
    assert decision.allowed
    assert f"- resource-based policy, statement 2: its Principal does not name {USER}" in map(str, decision.explain())


def test_an_explanation_of_an_allowed_request():
    listed = [f"kms:Do{i}" for i in range(7)]
    policies = Policies(
        (key(statement(ROLE), statement(SESSION), statement(USER, action=listed)),),
        session=(policy(PolicyKind.SESSION, statement(), statement(**DENY, resource="arn:aws:s3:::*")),),
    )
    steps = [str(step) for step in decide(SESSION, policies, grant=GRANT).explain()]
    assert steps == [
        "+ resource-based policy, statement 1: allows, within permissions boundary and session policies, kms:Encrypt",
        "+ resource-based policy, statement 2: allows kms:Encrypt",
        "- resource-based policy, statement 3: its Action [kms:Do0, kms:Do1, kms:Do2, kms:Do3, kms:Do4, …] does not "
        "cover kms:Encrypt",
        "+ session policy, statement 1: allows kms:Encrypt",
        f"- session policy, statement 2: its Resource [arn:aws:s3:::*] does not cover {KEY}",
        f"- identity-based policies: {ROLE} has none",
        "+ grants: grant 0c237476 allows the request",
        "+ decision: allowed",
    ]


def test_an_explanation_says_by_which_conditions_a_statement_applies():
    of_org = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "Bool": {"aws:ViaAWSService": "false"}}
    denying = policy(PolicyKind.SERVICE_CONTROL, statement(**DENY, Condition=of_org))
    policies = Policies((ENABLE_IAM,), (ADMINISTRATOR,), service_control=((denying,),))
    first, *_ = decide(USER, policies, context={"aws:viaawsservice": ("false",)}.get).explain()
    assert str(first) == (
        "+ service control policy, statement 1: denies kms:Encrypt: StringNotEquals aws:PrincipalOrgID: the policy "
        "says 'o-a1b2c3d4e5', the request does not have it; Bool aws:ViaAWSService: the policy says 'false', the "
        "request has 'false'"
    )


def test_an_explanation_has_all_conditions_that_do_not_hold():
    conditions = {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"kms:ViaService": "s3"}}
    policies = Policies((key(statement(USER, Condition=conditions)),))
    first, *_ = decide(USER, policies).explain()
    assert first.text == (
        "Bool aws:SecureTransport: the policy says 'true', the request does not have it; "
        "StringEquals kms:ViaService: the policy says 's3', the request does not have it"
    )


def test_an_explanation_has_the_reasons_of_grants_that_do_not_apply():
    decision = decide(USER, Policies((ENABLE_IAM,)))
    assert "- grants: no grant allows the request" in [str(step) for step in decision.explain()]
    with_grant = decision._replace(inapplicable_grants=lambda: [("0c237476", "is for somebody else")])
    steps = [str(step) for step in with_grant.explain() if step.policy == "grants"]
    assert steps == ["- grants: grant 0c237476 is for somebody else"]


def test_an_explanation_has_the_level_of_an_organization():
    full, other = (policy(PolicyKind.SERVICE_CONTROL, statement(action=action)) for action in ("*", "kms:*"))
    policies = Policies((ENABLE_IAM,), (ADMINISTRATOR,), service_control=((full,), (full, other)))
    assert [step.policy for step in decide(USER, policies).explain()][:5] == [
        "service control policy of level 1",
        "service control policy 1 of level 2",
        "service control policy 2 of level 2",
        "resource-based policy",
        "identity-based policy",
    ]


def test_an_explanation_says_that_a_federated_user_needs_session_policies():
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    fred = Principal.parse(FEDERATED, issuer_arn=USER)
    decision = decide(fred, Policies((ENABLE_IAM,), (ADMINISTRATOR,), session=()))
    assert decision.denial is Denial.SESSION
    assert f"- session policies: {FEDERATED} has none; without them, IAM policies allow a federated user nothing" in [
        str(step) for step in decision.explain()
    ]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_pattern_that_is_not_an_arn_denies_and_is_explained(effect):
    # Observed on AWS, September 2026
    tag = {"ArnLike": {"aws:PrincipalArn": "${aws:PrincipalTag/arn}"}}
    session = policy(PolicyKind.SESSION, statement(effect=effect, Condition=tag), statement())
    policies = Policies((ENABLE_IAM,), (ADMINISTRATOR,), session=(session,))
    context = {"aws:principalarn": (ROLE,), "aws:principaltag/arn": ("none",)}
    decision = decide(SESSION, policies, context=context.get)
    assert decision.denial is Denial.SESSION_EXPLICIT
    assert (
        "+ session policy, statement 1: denies kms:Encrypt: ArnLike aws:PrincipalArn: the policy says "
        f"'${{aws:PrincipalTag/arn}}' ('none'), the request has '{ROLE}'; a pattern that is not an ARN denies the "
        "request"
    ) in [str(step) for step in decision.explain()]
    assert decide(SESSION, policies, context=(context | {"aws:principalarn": ("no-arn",)}).get).allowed


def test_an_explanation_says_where_policies_are_written():
    of_key, of_role = key(statement(ROOT)), identity(statement(action="*"))
    origins = {
        KEY: {of_key.text: Origin("keys.yaml", "Key", 3, (7,))},
        ROLE: {of_role.text: Origin("roles.yaml", "Reader", 5)},
    }
    lines = [str(step) for step in decide(SESSION, Policies((of_key,), (of_role,)), origins=origins).explain()]
    assert any("(keys.yaml:3, Key)" in line and "in line 7" in line for line in lines)
    assert any("(roles.yaml:5, Reader)" in line for line in lines)
    of_user = {USER: {of_role.text: Origin("users.yaml", "Alice")}}
    lines = [str(step) for step in decide(USER, Policies((of_key,), (of_role,)), origins=of_user).explain()]
    assert any("(users.yaml, Alice)" in line for line in lines)


def test_an_explanation_says_that_an_operation_does_not_work_across_accounts():
    policies = Policies((key(statement("*", **DENY)),), (ADMINISTRATOR,))
    steps = [str(step) for step in decide(STRANGER, policies, cross_account=False).explain()]
    assert "+ resource-based policy, statement 1: denies kms:Encrypt" in steps
    assert "- operation: kms:Encrypt works only on keys of the caller's own account" in steps
    at_home = [str(step) for step in decide(USER, policies, cross_account=False).explain()]
    assert not any("works only on keys" in step for step in at_home)


def test_an_explanation_of_an_action_without_a_key_does_not_speak_of_grants():
    steps = decide(
        USER, Policies(identity=(ADMINISTRATOR,)), action="kms:CreateKey", resource="*", account=""
    ).explain()
    assert [step.policy for step in steps] == ["identity-based policy", "decision"]


@pytest.mark.parametrize("caller", [ROOT, "s3.amazonaws.com"])
def test_an_explanation_does_not_miss_policies_of_callers_that_have_none(caller):
    steps = decide(caller, Policies((ENABLE_IAM,))).explain()
    assert [step.policy for step in steps] == ["resource-based policy", "grants", "decision"]


ALICE = Principal.parse(USER)


@pytest.mark.parametrize(
    ("key_policy", "identity_policies", "locked_out"),
    [
        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
        pytest.param(key(statement(USER, action="kms:PutKeyPolicy")), (), False, id="the caller keeps the permission"),
        pytest.param(key(statement(USER, action="kms:Encrypt")), (), True, id="the caller loses it"),
        pytest.param(compile_policy(default_key_policy(ACCOUNT)), (ADMINISTRATOR,), False, id="by IAM"),
        pytest.param(compile_policy(default_key_policy(ACCOUNT)), (), True, id="by IAM without a policy"),
        pytest.param(key(statement(ROLE)), (ADMINISTRATOR,), True, id="only somebody else"),
        pytest.param(key(statement(USER, Condition={"StringEquals": {"kms:PolicyName": "default"}})), (), False,
                     id="under the name of the default policy"),
        pytest.param(key(statement(USER, Condition={"StringEquals": {"kms:PolicyName": "AWS_RAM"}})), (), True,
                     id="under another name"),
    ],
)  # fmt: skip
def test_the_lockout_check_asks_whether_the_caller_could_change_the_policy_again(
    key_policy, identity_policies, locked_out
):
    context = {"kms:policyname": ("default",)}.get
    assert would_lock_out(key_policy, ALICE, identity_policies, resource=KEY, context=context) is locked_out


def test_the_lockout_check_knows_that_put_key_policy_does_not_work_across_accounts():
    assert would_lock_out(key(statement(USER)), ALICE, (ADMINISTRATOR,), account=OTHER)


def test_what_policies_allow_unconditionally_is_cached_for_some_actions(monkeypatch):
    """Policies are shared by all mocks of a process: their caches must not grow with it."""
    monkeypatch.setattr(decision_module, "_MAX_CACHED", 2)
    policies = Policies((ENABLE_IAM,), (ADMINISTRATOR,))
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:Sign", "kms:Encrypt"):
        assert decide(USER, policies, action=action).allowed
        assert len(policies.unconditional) <= 2
    assert policies.allow_unconditionally(Principal.parse(USER), "kms:Encrypt", ACCOUNT)
