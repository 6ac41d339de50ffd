from __future__ import annotations

import json

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy.conditions.operators import OPERATORS
from pytest_kmsmock._kms.policy.documents import parse_document
from pytest_kmsmock._kms.policy.kinds import PARTITIONS, MalformedPolicy, PolicyKind, check_size
from pytest_kmsmock._kms.policy.patterns import no_context
from pytest_kmsmock._kms.policy.principals import Match, Principal

BY_PRINCIPAL = [PolicyKind.KEY, PolicyKind.VPC_ENDPOINT]
BY_IDENTITY = [PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.SERVICE_CONTROL]
OF_IAM = [PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION]
USER = "arn:aws:iam::111122223333:user/Alice"
VERSION = "The policy must contain a valid version string"
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def key_statement(**changes):
    statement = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "kms:Encrypt", "Resource": "*"} | changes
    return {name: value for name, value in statement.items() if value is not ...}


def policy(*statements, **changes):
    return {"Version": "2012-10-17", "Statement": list(statements)} | changes


def refusal(document, kind=PolicyKind.KEY):
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(MalformedPolicy) as caught:
        parse_document(text, kind)
    return caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[" * 100_000, id="nested too deep"),
        pytest.param('{"Version": ' + "1" * 5000 + "}", id="huge number"),
        pytest.param('{"Version": NaN}', id="not a number of JSON"),
        pytest.param("\ufeff{}", id="byte order mark"),
    ],
)
def test_invalid_json_is_rejected(text):
    """KMS sends no message for a key policy: aws/aws-sdk-ruby#1784."""
    assert refusal(text) == ""
    assert refusal(text, PolicyKind.IDENTITY) == "This policy contains invalid Json"


@pytest.mark.parametrize("text", ["[]", "1", '"Allow"', "null"])
def test_a_policy_must_be_a_json_object(text):
    assert refusal(text) == "Policies must be valid JSON and the first byte must be '{'"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param({"Version": "2012-10-17"}, "Missing required field Statement", id="no statement"),
        pytest.param(policy(), "Missing required field Statement", id="no statement in the list"),
        pytest.param(policy("Allow"), "Invalid value for field Statement", id="statement of text"),
        pytest.param(
            policy(key_statement(), Version="2012-10-18"),
            VERSION,
            id="version",
        ),
        pytest.param(
            policy(key_statement(), Version=["2012-10-17"]),
            VERSION,
            id="version list",
        ),
        pytest.param(policy(key_statement(), Id=1), "Invalid value for field Id", id="id"),
        pytest.param(policy(key_statement(), Statements=[]), "Unknown field Statements", id="unknown top element"),
        pytest.param(policy(key_statement(action="kms:*")), "Unknown field action", id="unknown statement element"),
        pytest.param(policy(key_statement(Effect=...)), "Missing required field Effect", id="no effect"),
        pytest.param(policy(key_statement(Effect="allow")), "Invalid effect: allow", id="effect"),
        pytest.param(policy(key_statement(Effect=["Allow"])), "Invalid effect: ['Allow']", id="effect list"),
        pytest.param(policy(key_statement(Sid=1)), "Invalid value for field Sid", id="sid"),
        pytest.param(policy(key_statement(Principal=...)), "Missing required field Principal", id="no principal"),
        pytest.param(policy(key_statement(NotAction="kms:*")), "both Action and NotAction", id="two actions"),
        pytest.param(policy(key_statement(NotResource="*")), "both Resource and NotResource", id="two resources"),
        pytest.param(policy(key_statement(NotPrincipal="*")), "both Principal and NotPrincipal", id="two principals"),
        pytest.param(policy(key_statement(Action=1)), "Invalid value for field Action", id="action number"),
        pytest.param(policy(key_statement(Action=["kms:*", None])), "Invalid value for field Action", id="action null"),
        pytest.param(policy(key_statement(Action="Encrypt")), "must be prefaced by a vendor", id="action of no vendor"),
        pytest.param(policy(key_statement(Action="kms:a:b")), "can contain only one colon", id="action of two colons"),
        pytest.param(policy(key_statement(Action="a::")), "can contain only one colon", id="action of colons"),
        pytest.param(policy(key_statement(Action=":a")), NO_VENDOR, id="action of an empty vendor"),
        pytest.param(policy(key_statement(Resource={})), "Invalid value for field Resource", id="resource object"),
        pytest.param(policy(key_statement(Principal=USER)), "Invalid policy syntax", id="principal as text"),
        pytest.param(
            policy(key_statement(Principal={"AWS": 1})), "Invalid value for field Principal", id="principal 1"
        ),
        pytest.param(policy(key_statement(Condition=[])), "Invalid value for field Condition", id="condition list"),
        pytest.param(policy(key_statement(Condition={"Bool": 1})), "Invalid value for field Condition", id="no keys"),
        pytest.param(
            policy(key_statement(Condition={"Bool": {"aws:k": {}}})),
            "Invalid value for field Condition",
            id="value object",
        ),
        pytest.param(
            policy(key_statement(Condition={"Bool": {"aws:k": [None]}})),
            "Invalid value for field Condition",
            id="value null",
        ),
        pytest.param(
            policy(key_statement(Condition={"StringIs": {"aws:k": "v"}})),
            "Invalid Condition type : StringIs",
            id="operator",
        ),
        pytest.param(policy(key_statement(Condition={"Bool": {"k": "true"}})), NO_VENDOR, id="key of no vendor"),
        pytest.param(policy(key_statement(Condition={"Bool": {"kms:": "true"}})), NO_VENDOR, id="key of nothing else"),
        pytest.param(policy(key_statement(Condition={"Bool": {"": "true"}})), NO_VENDOR, id="empty key"),
    ],
)
def test_a_document_with_a_grammar_error_is_malformed(document, reason):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    assert reason in refusal(document)


@pytest.mark.parametrize(
    "text",
    [
        '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
        '{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}',
        '{"Statement": [{"Condition": {"Bool": {"aws:k": "true", "aws:k": "false"}}}]}',
    ],
)
def test_duplicate_elements_are_malformed(text):
    # "Individual elements must not contain multiple instances of the same key", IAM grammar notes
    assert refusal(text).startswith("Duplicate field ")


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::111122223333:group/Developers"},
        {"AWS": "arn:aws:iam::111122223333:user/*"},
        {"AWS": "AIDAEXAMPLEOFADELETEDUSER"},
        {"AWS": ["111122223333", "1111"]},
        {"AWS": "s3.amazonaws.com"},
        {"Service": "*"},
        {"Service": "111122223333"},
        {"User": USER},
        {},
        {"AWS": []},
        {"AWS": [], "Service": []},
    ],
)
def test_an_invalid_principal_has_the_error_of_aws(principal):
    # Recorded from AWS: awslabs/minimum-viable-dataspace-on-aws#6. Groups and wildcards in names: IAM guide, Principal
    expected = "Policy contains a statement with one or more invalid principals."
    assert refusal(policy(key_statement(Principal=principal))) == expected


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        pytest.param(
            "kms:EncryptionContext:Department",
            "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a single-valued "
            "condition key matches requests without the specified encryption context or with an unspecified encryption "
            "context. To fix, remove ForAllValues.",
            id="encryption context",
        ),
        pytest.param(
            "AWS:requesttag/Project",
            "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches "
            "requests without the specified tag or with an unspecified tag. To fix, remove ForAllValues.",
            id="request tag",
        ),
    ],
)
def test_for_all_values_with_a_single_valued_key_is_refused_in_a_key_policy(key, reason):
    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html, "Using set operators"
    condition = {"ForAllValues:StringEquals": {key: "v"}}
    assert refusal(policy(key_statement(Condition=condition))) == reason
    identity = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": condition}
    assert parse_document(json.dumps(policy(identity)), PolicyKind.IDENTITY)


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "AppName"}},
        {"ForAnyValue:StringEquals": {"kms:EncryptionContext:AppName": "v"}},
        {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": 8}, "Bool": {"aws:SecureTransport": True}},
        {"StringEquals": {"aws:k": []}},
        {},
    ],
)
def test_other_conditions_are_accepted(condition):
    (statement,) = parse_document(json.dumps(policy(key_statement(Condition=condition))), PolicyKind.KEY)
    assert len(statement.conditions) == sum(map(len, condition.values()))


def test_numbers_and_booleans_are_strings_in_conditions():
    condition = {"StringEquals": {"aws:k": [True, False, 3, 1.5, "x"]}}
    (statement,) = parse_document(json.dumps(policy(key_statement(Condition=condition))), PolicyKind.KEY)
    assert statement.conditions[0].values == ("true", "false", "3", "1.5", "x")


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ...}, {"Resource": ...}, {"Action": []}, {"Resource": []},
        {"Action": ..., "NotAction": []}, {"Resource": ..., "NotResource": []},
    ],
)  # fmt: skip
def test_a_key_policy_statement_without_action_or_resource_is_accepted(changes):
    # Documentation of the Policy parameter of PutKeyPolicy
    (statement,) = parse_document(json.dumps(policy(key_statement(**changes))), PolicyKind.KEY)
    assert statement.match(Principal.parse(USER), "kms:Encrypt") is Match.NONE


@pytest.mark.parametrize("kind", BY_IDENTITY)
def test_policies_of_identities_name_no_principal_and_have_no_id(kind):
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    assert parse_document(json.dumps(policy(allow)), kind)
    assert refusal(policy(allow | {"Principal": "*"}), kind) == "Policy document should not specify a principal."
    assert refusal(policy(allow, Id="x"), kind) == "Unknown field Id"
    assert refusal(policy({"Effect": "Allow", "Action": "kms:*"}), kind) == "Policy statement must contain resources."
    assert refusal(policy({"Effect": "Allow", "Resource": "*"}), kind) == "Policy statement must contain actions."
    assert refusal(policy(allow | {"Action": []}), kind) == "Policy statement must contain actions."
    assert refusal(policy(allow | {"Resource": []}), kind) == "Policy statement must contain resources."
    assert 'must be in ARN format or "*".' in refusal(policy(allow | {"Resource": "alias/x"}), kind)
    twice = policy(allow | {"Sid": "A"}, allow | {"Sid": "A"})
    assert refusal(twice, kind) == "Statement IDs (SID) in a single policy must be unique."
    # Recorded: aws-cloudformation/cfn-lint#1376
    assert refusal(policy(allow | {"Sid": "Not one"}), kind) == (
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )


@pytest.mark.parametrize("kind", BY_PRINCIPAL)
def test_policies_of_resources_name_principals(kind):
    assert parse_document(json.dumps(policy(key_statement(), Id="x")), kind)
    assert refusal(policy(key_statement(Principal=...)), kind) == "Missing required field Principal"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Effect": "Allow"}, id="allows"),
        pytest.param({"Principal": {"AWS": USER}}, id="somebody only"),
        pytest.param({"Principal": ..., "NotPrincipal": {"AWS": USER}}, id="everyone but somebody"),
        pytest.param({"Action": ..., "NotAction": "kms:Encrypt"}, id="all but an action"),
        # Observed with CreatePolicy, September 2026.
        pytest.param({"Principal": ["*"]}, id="everyone in a list"),
        pytest.param({"Action": "*"}, id="every action of every service"),
        pytest.param({"Action": ["kms:Encrypt", "iam:GetUser"]}, id="a service without resource control policies"),
        pytest.param({"Action": "nothing:Encrypt"}, id="an unknown service"),
    ],
)
def test_resource_control_policies_deny_everyone_what_they_name(changes):
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    deny = key_statement(Effect="Deny", Principal="*")
    expected = "The provided policy document does not meet the requirements of the specified policy type."
    assert parse_document(json.dumps(policy(deny)), PolicyKind.RESOURCE_CONTROL)
    assert parse_document(json.dumps(policy(deny | {"Principal": {"AWS": "*"}})), PolicyKind.RESOURCE_CONTROL)
    changed = {name: value for name, value in (deny | changes).items() if value is not ...}
    assert refusal(policy(changed), PolicyKind.RESOURCE_CONTROL) == expected
    assert refusal(policy(key_statement(Effect="Deny", Principal=...)), PolicyKind.RESOURCE_CONTROL) == (
        "Missing required field Principal"
    )


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        pytest.param({}, {"Version": "2008-10-17"}, id="the first version"),
        pytest.param({}, {}, id="no version"),
        pytest.param({"Action": "kms:NoSuchAction"}, {"Version": "2012-10-17"}, id="an unknown action"),
        pytest.param({"Action": "SQS:SendMessage"}, {"Version": "2012-10-17"}, id="upper case"),
        pytest.param({"Resource": ..., "NotResource": "arn:aws:kms:*:*:key/k"}, {}, id="all but a resource"),
    ],
)
def test_what_resource_control_policies_may_have(changes, version):
    """Observed with CreatePolicy, September 2026."""
    statement = key_statement(**({"Effect": "Deny", "Principal": "*"} | changes))
    assert parse_document(json.dumps({"Statement": statement} | version), PolicyKind.RESOURCE_CONTROL)


@pytest.mark.parametrize("kind", [*BY_PRINCIPAL, *BY_IDENTITY])
@pytest.mark.parametrize("action", ["k*:Encrypt", "*:Encrypt", "k?s:Encrypt"])
def test_the_service_of_an_action_has_no_wildcards(kind, action):
    # Recorded: theserverlessway/aws-baseline#1, boogy/iam-policy-validator#172
    statement = key_statement(Action=action, **({} if kind.names_principals else {"Principal": ...}))
    assert refusal(policy(statement), kind) == "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards."


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        # IAM and AWS STS quotas, Quotas for AWS Organizations, "Control access to VPC endpoints"
        (PolicyKind.IDENTITY, 10_240), (PolicyKind.BOUNDARY, 6_144), (PolicyKind.SESSION, 6_144),
        (PolicyKind.SERVICE_CONTROL, 10_240), (PolicyKind.RESOURCE_CONTROL, 5_120), (PolicyKind.VPC_ENDPOINT, 20_480),
    ],
)  # fmt: skip
def test_the_greatest_size_of_a_policy(kind, most):
    def document(size):
        return json.dumps({"Id": "x" * (size - len('{"Id":""}'))}, separators=(",", ":"))

    check_size(document(most), kind)
    with pytest.raises(MalformedPolicy, match=f"AWS accepts at most {most:,}"):
        check_size(document(most + 1), kind)
    spaced = " " * most + document(most)
    if kind in OF_IAM:
        check_size(spaced, kind)  # "IAM does not count white space when calculating the size of a policy"
    else:
        with pytest.raises(MalformedPolicy):
            check_size(spaced, kind)


def test_the_error_of_the_whole_document_has_no_statement():
    with pytest.raises(MalformedPolicy, match="Missing required field Statement") as caught:
        parse_document("{}", PolicyKind.KEY)
    assert caught.value.statement == 0


def test_the_partitions_are_those_of_botocore():
    assert {each["id"] for each in Loader().load_data("partitions")["partitions"]} == PARTITIONS


@pytest.mark.parametrize("kind", [PolicyKind.VPC_ENDPOINT, *BY_IDENTITY])
def test_a_resource_is_of_a_partition(kind):
    # Recorded: hashicorp/terraform-provider-aws#3045, cloudera-labs/cloudera.exe#112
    def statement(resource):
        return key_statement(Resource=resource, **({} if kind.names_principals else {"Principal": ...}))

    for resource in ("arn::kms:*:*:key/*", "arn:${PARTITION}:kms:*:*:key/*", "arn:aws-mars:kms:*:*:key/*"):
        partition = resource.split(":")[1]
        expected = f'Partition "{partition}" is not valid for resource "{resource}".'
        assert refusal(policy(statement(resource)), kind) == expected
    assert parse_document(json.dumps(policy(statement(["arn:aws-cn:kms:*:*:key/*", "arn:*:kms:*:*:key/*"]))), kind)


@pytest.mark.parametrize(
    ("resource", "completed"),
    [
        # getmoto/moto, tests/test_iam/test_iam_policies.py: IAM names the ARN that it understands.
        ("a:bsdfdsafsad", "arn:bsdfdsafsad:*:*:*:*"),
        ("a:b:cadfsdf", "arn:b:cadfsdf:*:*:*"),
        ("a:b:c:d:e:f:g:h", "arn:b:c:d:e:f:g:h"),
        ("aws:s3:::example_bucket", "arn:s3:::example_bucket:*"),
    ],
)
def test_a_wrong_partition_is_reported_in_the_completed_arn(resource, completed):
    statement = key_statement(Resource=resource, Principal=...)
    partition = completed.split(":")[1]
    expected = f'Partition "{partition}" is not valid for resource "{completed}".'
    assert refusal(policy(statement), PolicyKind.IDENTITY) == expected


@pytest.mark.parametrize("kind", [PolicyKind.VPC_ENDPOINT, *BY_IDENTITY])
@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("kms", 'Resource kms must be in ARN format or "*".'),
        ("ARN:aws:kms:a:b:c", 'Resource ARN:aws:kms:a:b:c must be in ARN format or "*".'),
        # getmoto/moto, tests/test_iam/test_iam_policies.py
        ("arn:aws", "Resource vendor must be fully qualified and cannot contain regexes."),
    ],
)
def test_a_resource_is_an_arn(kind, resource, reason):
    statement = key_statement(Resource=["*", resource], **({} if kind.names_principals else {"Principal": ...}))
    assert refusal(policy(statement), kind) == reason


@pytest.mark.parametrize("kind", OF_IAM)
@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        # "You can't use a wildcard in the service segment"; getmoto/moto, tests/test_iam/test_iam_policies.py
        (("arn:*", "arn:aws:*", "arn:aws:*:*:*:key/*", "arn:aws:k?s:*:*:key/*"),
         "Resource vendor must be fully qualified and cannot contain regexes."),
        # "You can use a policy variable in the Resource element, but only in the resource portion of the ARN."
        (("arn:aws::us-east-1:111122223333:key/*", "arn:aws::key", "arn:aws:kms::key",
          "arn:aws:kms:${aws:RequestedRegion}:*:key/*", "arn:aws:kms:*:${aws:PrincipalAccount}:key/*"),
         "The policy failed legacy parsing"),
    ],
)  # fmt: skip
def test_what_resources_of_iam_policies_cannot_be(kind, resources, reason):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html and
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    for resource in resources:
        assert refusal(policy(key_statement(Resource=["*", resource], Principal=...)), kind) == reason


INCOMPLETE = ["arn:aws:kms", "arn:aws:kms:us-east-1", "arn:aws:kms:us-east-1:111122223333", "arn:aws:kms:*"]


@pytest.mark.parametrize("resource", INCOMPLETE)
def test_an_incomplete_arn_is_completed_in_policies_of_iam(resource):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    allow = key_statement(Resource=resource, Principal=...)
    for kind in (PolicyKind.IDENTITY, PolicyKind.BOUNDARY):
        (statement,) = parse_document(json.dumps(policy(allow)), kind)
        assert statement.holds("arn:aws:kms:us-east-1:111122223333:key/k", no_context)
        elsewhere = statement.holds("arn:aws:kms:eu-west-1:444455556666:key/k", no_context)
        assert elsewhere is ("us-east-1" not in resource)
        assert not statement.holds("arn:aws:s3:::bucket", no_context)
    assert refusal(policy(allow), PolicyKind.SESSION) == "The policy failed legacy parsing"


def test_a_permissions_boundary_is_a_managed_policy_and_needs_a_version():
    # Meteor-Community-Packages/Meteor-CollectionFS#630; getmoto/moto, tests/test_iam/test_iam_policies.py
    statement = key_statement(Principal=...)
    for version in ({"Version": "2008-10-17"}, {}):
        document = {"Statement": statement} | version
        expected = "Policy document must be version 2012-10-17 or greater."
        assert refusal(document, PolicyKind.BOUNDARY) == expected
        assert parse_document(json.dumps(document), PolicyKind.IDENTITY)


@pytest.mark.parametrize("vendor", ["a a", " kms", "kms ", "kéms", "kms/x"])
def test_the_service_of_an_action_has_no_other_characters(vendor):
    # getmoto/moto, tests/test_iam/test_iam_policies.py, which has names that are taken, too
    statement = key_statement(Action=f"{vendor}:Encrypt", Principal=...)
    assert refusal(policy(statement), PolicyKind.IDENTITY) == f"Vendor {vendor} is not valid"
    taken = key_statement(Action=["s3-s:ListBucket", "s3.s:ListBucket", "KMS: no such action", "*"], Principal=...)
    assert parse_document(json.dumps(policy(taken)), PolicyKind.IDENTITY)


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "AWS:resourcetag/team", "kms:ResourceAliases"])
def test_some_condition_keys_are_not_for_key_policies(key):
    # Recorded: awsdocs/aws-kms-developer-guide#47
    statement = key_statement(Condition={"ForAnyValue:StringEquals": {key: "x"}})
    assert refusal(policy(statement)) == (
        "These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases"
    )
    assert parse_document(json.dumps(policy(statement)), PolicyKind.VPC_ENDPOINT)


def test_a_single_statement_needs_no_list():
    (statement,) = parse_document(json.dumps({"Statement": key_statement(Sid="Only one")}), PolicyKind.KEY)
    assert statement.name == "statement 1 ('Only one')"


def test_every_form_of_principal_is_read():
    principal = {
        "AWS": ["111122223333", "arn:aws:iam::444455556666:root", USER],
        "Service": "cloudtrail.amazonaws.com",
        "Federated": ["accounts.google.com"],
        "CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
    }
    (statement,) = parse_document(json.dumps(policy(key_statement(Principal=principal))), PolicyKind.KEY)
    element = statement.principal
    assert element is not None
    assert element.accounts == {"111122223333", "444455556666"}
    assert element.arns == {USER}
    assert element.services == {"cloudtrail.amazonaws.com"}
    assert element.federated == {"accounts.google.com"}
    assert not element.everyone


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [USER, "*"]}])
def test_an_asterisk_is_everyone(principal):
    (statement,) = parse_document(json.dumps(policy(key_statement(Principal=principal))), PolicyKind.KEY)
    assert statement.principal is not None
    assert statement.principal.everyone


WORDS = st.sampled_from(
    ["Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
     "NotResource", "Condition", "AWS", "Service", "Allow", "Deny", "2012-10-17", "2008-10-17", "kms:*", "*", USER,
     "111122223333", "${aws:username}", "ForAllValues:StringLike", "kms:EncryptionContext:a", *OPERATORS]
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)
NEARLY = st.fixed_dictionaries(
    {"Statement": st.lists(st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny"]), "Principal": st.just("*") | JSON_VALUES},
        optional={"Action": JSON_VALUES, "Resource": JSON_VALUES, "Condition": st.dictionaries(
            WORDS, st.dictionaries(WORDS, JSON_VALUES, max_size=2), max_size=2)}), min_size=1, max_size=2)},
    optional={"Version": WORDS},
)  # fmt: skip


@given(st.text() | (JSON_VALUES | NEARLY).map(json.dumps), st.sampled_from(PolicyKind))
def test_no_input_raises_anything_but_malformed_policy(text, kind):
    try:
        parse_document(text, kind)
    except MalformedPolicy:
        return
