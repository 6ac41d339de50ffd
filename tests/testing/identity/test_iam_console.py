"""Attaching policies: each kind does what it does on AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_kmsmock import KmsMockError, key_policy, mock_kms
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal, InvalidSeed

ACCOUNT, OTHER = "123456789012", "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
DENIED = "AccessDeniedException"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, **more):
    return {"Effect": "Allow", "Action": action, "Resource": "*"} | more


def deny(action, **more):
    return {"Effect": "Deny", "Action": action, "Resource": "*"} | more


@pytest.fixture
def key(kms_mock):
    return kms_mock.create_key().arn


@pytest.fixture
def why(kms_mock, key):
    """How AWS's text ends when a principal may not encrypt; empty if it may."""

    def ask(principal="role/app", action="kms:Encrypt"):
        message = kms_mock.simulate(principal, action, key).message
        return message.partition(f" on resource: {key} ")[2]

    return ask


@pytest.mark.parametrize("named", ["role/app", ROLE, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/x", "credentials"])
def test_a_role_and_its_sessions_have_the_same_policies(kms_mock, why, named):
    kms_mock.iam.attach(kms_mock.credentials("role/app") if named == "credentials" else named, policy(allow("kms:*")))
    assert why("role/app") == why("assumed-role/app/other") == ""
    assert why("role/other") == "because no identity-based policy allows the kms:Encrypt action"


def test_policies_are_texts_or_mappings_and_add_up(kms_mock, why):
    kms_mock.iam.attach("role/app", policy(allow("kms:Encrypt")), json.dumps(policy(allow("kms:Decrypt"))))
    kms_mock.iam.attach("role/app", policy(deny("kms:Decrypt")))
    assert why() == ""
    assert why(action="kms:Decrypt") == "with an explicit deny in an identity-based policy"
    kms_mock.iam.detach("role/app", policy(deny("kms:Decrypt")))
    assert why(action="kms:Decrypt") == ""
    kms_mock.iam.detach("role/app")
    assert why() != ""


def test_what_is_not_attached_cannot_be_detached(kms_mock):
    with pytest.raises(InvalidPolicy, match="this policy is not attached"):
        kms_mock.iam.detach("role/app", policy(allow("kms:*")))


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "iam.attach(arn:aws:iam::123456789012:user/alice): AWS refuses this identity-based policy: "),
        (
            policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}),
            "should not specify a principal",
        ),
        (policy({"Effect": "Allow"}), "must contain actions"),
        (policy({"Effect": {1, 2}}), "cannot be written as JSON"),
        (b"{}", "a policy is a JSON string, a mapping or a pathlib.Path, not bytes"),
    ],
)
def test_malformed_policies_say_what_is_wrong(kms_mock, document, text):
    with pytest.raises(InvalidPolicy) as refused:
        kms_mock.iam.attach("user/alice", document)
    assert text in str(refused.value)
    assert isinstance(refused.value, KmsMockError)
    with pytest.raises(InvalidPrincipal):
        kms_mock.iam.attach("alice", policy(allow("kms:*")))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Condtion": {}}, "Unknown field Condtion (statement 2). Did you mean 'Condition'?"),
        (
            {"Condition": {"StringEqual": {"kms:ViaService": "x"}}},
            "Invalid Condition type : StringEqual (statement 2). Did you mean 'StringEquals'?",
        ),
        ({"Effect": "allow"}, "Invalid effect: allow (statement 2). Did you mean 'Allow'?"),
        ({"Action": 5}, "Invalid value for field Action (statement 2). Action is 5."),
        ({"Action": {}}, "Invalid value for field Action (statement 2)"),
    ],
)
def test_a_malformed_statement_is_named_after_the_message_of_aws(kms_mock, given, reason):
    with pytest.raises(InvalidPolicy) as refused:
        kms_mock.iam.attach("role/app", policy(allow("kms:Encrypt"), allow("kms:*") | given))
    assert str(refused.value) == (
        f"iam.attach(arn:aws:iam::123456789012:role/app): AWS refuses this identity-based policy: {reason}"
    )


def test_a_policy_can_be_a_file(kms_mock, why, tmp_path):
    file = tmp_path / "app.json"
    file.write_text(json.dumps(policy(allow("kms:Encrypt"))))
    kms_mock.iam.attach("role/app", file)
    assert why() == ""
    kms_mock.iam.detach("role/app", file)
    assert why() != ""
    assert kms_mock.credentials("role/app", session_policies=file).arn.startswith("arn:aws:sts:")


def test_a_key_policy_can_be_a_file(kms_mock, tmp_path):
    file = tmp_path / "key.json"
    file.write_text(key_policy(users="role/app"))
    assert kms_mock.create_key(policy=file).policy == json.loads(key_policy(users="role/app"))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(
            "app.json",
            "'app.json' is not a policy: give a JSON string, a mapping, or in Python a file as Path('app.json').",
            id="path as a string",
        ),
        pytest.param(
            Path("none.json"),
            f"the policy file none.json does not exist in {Path.cwd()} "
            "(relative paths start from the working directory).",
            id="no such file",
        ),
        pytest.param(
            5, "a policy is a JSON string, a mapping or a pathlib.Path, not int.", id="another type"
        ),
    ],
)  # fmt: skip
def test_what_is_no_policy_says_how_one_is_given(kms_mock, document, reason):
    with pytest.raises(InvalidPolicy) as refused:
        kms_mock.iam.attach("role/app", document)
    assert str(refused.value) == f"iam.attach({ROLE}): {reason}"
    with pytest.raises(InvalidSeed) as refused:
        kms_mock.create_key(policy=document)
    assert str(refused.value) == f"create_key(): {reason}".rstrip(".")


def long(kind, characters, *, indent=None):
    """Return a policy of a kind, as text with exactly so many characters."""
    statement = deny("kms:Encrypt", Principal="*") if kind in {"resource_control", "endpoint"} else deny("kms:Encrypt")
    document = policy(statement | {"Resource": "arn:aws:kms:*:*:key/"})
    missing = characters - len(json.dumps(document, separators=(",", ":")))
    document["Statement"][0]["Resource"] += "k" * missing
    return json.dumps(document, separators=None if indent else (",", ":"), indent=indent)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        # Quotas of IAM (2026): an inline policy of a role, a managed policy. White space does not count.
        pytest.param("attach", 10_240, id="identity"),
        pytest.param("boundary", 6_144, id="boundary"),
        # Quotas of AWS Organizations (2026)
        pytest.param("service_control", 10_240, id="service control"),
        pytest.param("resource_control", 5_120, id="resource control"),
        # AWS PrivateLink guide, "Control access to VPC endpoints using endpoint policies"
        pytest.param("endpoint", 20_480, id="VPC endpoint"),
    ],
)
def test_policies_have_a_largest_size(kms_mock, kind, most):
    iam = kms_mock.iam
    put = {
        "attach": lambda text: iam.attach("role/app", text),
        "boundary": lambda text: iam.boundary("role/app", text),
        "service_control": iam.service_control,
        "resource_control": iam.resource_control,
        "endpoint": lambda text: iam.vpc_endpoint_policy("vpce-1a2b", text),
    }[kind]
    put(long(kind, most))
    put(json.loads(long(kind, most)))
    with pytest.raises(InvalidPolicy, match=f"It has {most + 1:,} characters; AWS accepts at most {most:,}"):
        put(long(kind, most + 1))
    if kind in {"attach", "boundary"}:
        put(long(kind, most, indent=8))
    else:
        with pytest.raises(InvalidPolicy, match=f"AWS accepts at most {most:,}"):
            put(long(kind, most, indent=8))


def test_policies_are_of_the_partition_of_the_mock():
    # Recorded: terraform-aws-modules/terraform-aws-iam#39 and others
    foreign = policy(allow("kms:*") | {"Resource": "arn:aws:kms:*:*:key/*"})
    with mock_kms(region="cn-north-1") as kms:
        with pytest.raises(InvalidPolicy) as refused:
            kms.iam.attach("role/app", foreign)
        assert str(refused.value).endswith('Partition "aws" is not valid for resource "arn:aws:kms:*:*:key/*".')
        with pytest.raises(InvalidPolicy, match='Partition "aws" is not valid'):
            kms.credentials("role/app", session_policies=foreign)
        for partition in ("aws-cn", "*", "aws-??"):
            kms.iam.attach("role/app", policy(allow("kms:*") | {"Resource": f"arn:{partition}:kms:*:*:key/*"}))


def test_control_policies_are_of_accounts(kms_mock):
    for control in (kms_mock.iam.service_control, kms_mock.iam.resource_control):
        with pytest.raises(InvalidPrincipal, match="account must be the id of an account, 12 digits, not 'me'"):
            control(account="me")
        with pytest.raises(InvalidPrincipal, match="account must be a string, not 123456789012"):
            control(account=123456789012)


def test_something_has_to_be_attached(kms_mock):
    with pytest.raises(InvalidPolicy, match="no policy is given"):
        kms_mock.iam.attach("role/app")


@pytest.mark.parametrize("endpoint", [None, 5, "", "vpc-1"])
def test_the_policy_of_what_is_no_vpc_endpoint(kms_mock, endpoint):
    with pytest.raises(InvalidPrincipal, match="source_vpce must be "):
        kms_mock.iam.vpc_endpoint_policy(endpoint, policy(allow("kms:*", Principal="*")))


@pytest.mark.parametrize(
    "principal", ["s3.amazonaws.com", "root", OTHER, f"arn:aws:iam::{OTHER}:root", "federated-user/fred"]
)
def test_services_and_root_users_have_no_iam_policies(kms_mock, principal):
    """IAM User Guide, "Identity-based policies": of users, groups and roles."""
    for attach in (kms_mock.iam.attach, kms_mock.iam.detach, kms_mock.iam.boundary):
        with pytest.raises(InvalidPrincipal, match="has no IAM policies: they are attached to users and roles"):
            attach(principal, policy(allow("kms:*")))
    with pytest.raises(InvalidPrincipal, match="cannot be missing: only users and roles come and go"):
        kms_mock.iam.missing(principal)
    assert kms_mock._service.state.iam.identity == {}


def test_the_administrator_can_be_limited_too(kms_mock, why):
    assert why(None) == ""
    kms_mock.iam.attach("user/Administrator", policy(deny("kms:Encrypt")))
    assert why(None) == "with an explicit deny in an identity-based policy"


def test_a_permissions_boundary(kms_mock, why):
    kms_mock.iam.attach("role/app", policy(allow("kms:*")))
    kms_mock.iam.boundary("role/app", policy(allow("kms:Decrypt"), deny("kms:Sign")))
    assert why() == "because no permissions boundary allows the kms:Encrypt action"
    assert why(action="kms:Sign").startswith("with an explicit deny in a permissions boundary: arn:aws:iam::")
    assert why(action="kms:Decrypt") == ""
    kms_mock.iam.boundary("role/app", None)
    assert why() == ""


def test_service_control_policies(kms_mock, why):
    """Organizations User Guide: every level must allow; FullAWSAccess is attached unless it is taken away."""
    iam = kms_mock.iam
    iam.attach("role/app", policy(allow("kms:*")))
    iam.service_control(policy(deny("kms:Encrypt", Condition={"StringLike": {"aws:PrincipalArn": "*role/app"}})))
    assert why().startswith("with an explicit deny in a service control policy: arn:aws:organizations::")
    assert why(action="kms:Decrypt") == why("root") == ""
    iam.service_control(policy(allow("kms:Sign")), full_access=False)
    assert why(action="kms:Decrypt") == "because no service control policy allows the kms:Decrypt action"
    assert why("root") == "because no service control policy allows the kms:Encrypt action"
    assert why(action="kms:Sign") == ""
    assert why("role/aws-service-role/x.amazonaws.com/linked") != why("root")  # service-linked roles are exempt
    iam.service_control()
    assert why() == ""


@pytest.mark.parametrize("given", ["no", None, 0])
def test_full_access_is_true_or_false(kms_mock, why, given):
    kms_mock.iam.attach("role/app", policy(allow("kms:*")))
    with pytest.raises(InvalidPolicy, match=f"full_access must be True or False, not {given!r}"):
        kms_mock.iam.service_control(policy(allow("kms:Sign")), full_access=given)
    assert why() == ""


def test_service_control_policies_of_another_account(kms_mock, key):
    stranger = f"arn:aws:iam::{OTHER}:user/bob"
    kms_mock.iam.attach(stranger, policy(allow("kms:*")))
    kms_mock.iam.service_control(policy(deny("kms:CreateKey")), account=OTHER)
    assert not kms_mock.simulate(stranger, "kms:CreateKey")
    assert kms_mock.simulate(None, "kms:CreateKey")


def test_resource_control_policies_protect_the_accounts_keys(kms_mock, why):
    """IAM User Guide: an RCP of the owner's account, here against principals outside its organization."""
    outside = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    kms_mock.iam.attach("role/app", policy(allow("kms:*")))
    kms_mock.iam.resource_control(policy(deny("kms:*", Principal="*", Condition=outside)))
    assert why().startswith("with an explicit deny in a resource control policy: arn:aws:organizations::")
    assert why(kms_mock._caller("role/app", org_id="o-1")) == ""
    kms_mock.iam.resource_control()
    assert why() == ""


def test_resource_control_policies_leave_alone_what_aws_says(kms_mock, kms_client, why):
    """Developer Guide, "Resource control policies": AWS managed keys, RetireGrant; IAM guide: service-linked roles."""
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ec2.amazonaws.com/Linked"
    kms_mock.iam.attach(linked, policy(allow("kms:*")))
    managed = kms_mock.managed_key("s3")
    key = kms_client.create_key()["KeyMetadata"]["Arn"]
    grant = kms_client.create_grant(KeyId=key, GranteePrincipal=linked, Operations=["Encrypt"])
    kms_mock.iam.resource_control(policy(deny("kms:*", Principal="*")))
    assert why().startswith("with an explicit deny in a resource control policy: arn:aws:organizations::")
    assert why(linked) == ""
    assert kms_mock.simulate(kms_mock.credentials(via_service="s3"), "kms:Encrypt", managed)
    kms_client.retire_grant(KeyId=key, GrantId=grant["GrantId"])


def test_the_policy_of_a_vpc_endpoint(kms_mock, key, refusal):
    """Developer Guide, "Creating a VPC endpoint policy"."""
    through = kms_mock.client(principal=kms_mock.credentials(source_vpce="vpce-1"))
    through.encrypt(KeyId=key, Plaintext=b"x")
    kms_mock.iam.vpc_endpoint_policy("vpce-1", policy(allow("kms:Decrypt", Principal="*")))
    text = (
        f"User: arn:aws:iam::{ACCOUNT}:user/Administrator is not authorized to perform: kms:Encrypt on resource: {key} "
    )
    with refusal(DENIED, text + "because no VPC endpoint policy allows the kms:Encrypt action"):
        through.encrypt(KeyId=key, Plaintext=b"x")
    kms_mock.client().encrypt(KeyId=key, Plaintext=b"x")
    # IAM User Guide, "Forward access sessions": a service does not call through the endpoint of its user.
    forwarded = kms_mock.client(principal=kms_mock.credentials(source_vpce="vpce-1", via_service="s3"))
    assert forwarded.describe_key(KeyId=key)
    kms_mock.iam.vpc_endpoint_policy("vpce-1", None)
    through.encrypt(KeyId=key, Plaintext=b"x")


def test_nested_mocks_begin_with_the_policies_and_give_them_back(kms_mock, why, tmp_path):
    kms_mock.iam.attach("role/app", policy(allow("kms:Encrypt")))
    with mock_kms() as inner:
        inner.iam.attach("role/app", policy(deny("kms:Encrypt")))
        inner.iam.service_control(policy(deny("kms:*")))
        assert not inner.simulate("role/app", "kms:Encrypt", next(iter(inner.keys)))
    assert why() == ""
    kms_mock.dump(tmp_path / "dump.json")
    kms_mock.iam.detach("role/app")
    assert why() != ""
    kms_mock.load(tmp_path / "dump.json")
    assert why() == ""


def test_many_combinations_of_callers_and_keys(kms_mock, key, monkeypatch):
    """What is worked out is remembered for some of them only."""
    from pytest_kmsmock._kms.state import attached_policies

    monkeypatch.setattr(attached_policies, "_MAX_CACHED", 2)
    for n in range(5):
        assert not kms_mock.simulate(f"user/u{n}", "kms:Encrypt", key)
    assert kms_mock.simulate(None, "kms:Encrypt", key)


def test_a_call_to_a_vpc_endpoint_comes_through_it(kms_mock, refusal):
    url = "https://vpce-0123456789abcdef0-abcdefgh.kms.us-east-1.vpce.amazonaws.com"
    through = kms_mock.client(endpoint_url=url)
    through.list_keys()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:ListKeys", "Resource": "*"}
    kms_mock.iam.vpc_endpoint_policy("vpce-0123456789abcdef0", {"Version": "2012-10-17", "Statement": [deny]})
    with refusal("AccessDeniedException"):
        through.list_keys()
    kms_mock.client().list_keys()
    assert kms_mock.calls[1].caller.context["aws:sourcevpce"] == ("vpce-0123456789abcdef0",)


def guard(operator, **more):
    condition = {operator: {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    return deny("kms:*", Condition=condition, **more)


INVERTED = ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"]
PLACES = ["identity", "boundary", "session", "service control", "resource control", "endpoint"]


@pytest.mark.parametrize("operator", [*INVERTED, *(f"{name}IfExists" for name in INVERTED)])
@pytest.mark.parametrize("place", PLACES)
def test_a_guard_by_tags_denies_who_has_none(kms_mock, operator, place):
    """IAM User Guide, "Policy variables with no value": inverted operators "do match against a null value"."""
    iam, context = kms_mock.iam, {}
    key = kms_mock.create_key(tags={"team": "blue"})
    iam.attach("role/app", policy(allow("kms:*")))
    if place == "identity":
        iam.attach("role/app", policy(guard(operator)))
    elif place == "boundary":
        iam.boundary("role/app", policy(allow("kms:*"), guard(operator)))
    elif place == "session":
        context["session_policies"] = policy(allow("kms:*"), guard(operator))
    elif place == "service control":
        iam.service_control(policy(guard(operator)))
    elif place == "resource control":
        iam.resource_control(policy(guard(operator, Principal="*")))
    else:
        iam.vpc_endpoint_policy("vpce-1a2b", policy(allow("kms:*", Principal="*"), guard(operator, Principal="*")))
        context["source_vpce"] = "vpce-1a2b"
    assert kms_mock.simulate(kms_mock.credentials("role/app", tags={"team": "blue"}, **context), "kms:Encrypt", key)
    untagged = kms_mock.simulate(kms_mock.credentials("role/app", **context), "kms:Encrypt", key)
    assert "with an explicit deny in a" in untagged.message
