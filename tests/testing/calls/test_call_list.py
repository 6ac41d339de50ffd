from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock.errors import InvalidCallPattern


@pytest.fixture
def key(kms_client):
    metadata = kms_client.create_key()["KeyMetadata"]
    kms_client.create_alias(AliasName="alias/app", TargetKeyId=metadata["KeyId"])
    return metadata


def encrypt(client, key_id, **context):
    return client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]


def test_every_call_is_recorded_with_who_what_where_and_when(kms_mock, kms_client, key):
    blob = encrypt(kms_client, key["KeyId"], tenant="a")
    record = kms_mock.calls.last
    assert (record.operation, record.region, record.account) == ("Encrypt", "us-east-1", "123456789012")
    assert record.params["Plaintext"] == b"x"
    assert record.result["CiphertextBlob"] == blob
    assert record.encryption_context == {"tenant": "a"}
    assert record.key.arn == key["Arn"]
    assert [each.arn for each in record.keys] == [key["Arn"]]
    assert record.time <= kms_mock.clock.now()
    assert not record.refused
    assert not record.injected


def test_a_refused_call_has_its_error(kms_mock, kms_client):
    with pytest.raises(ClientError):
        kms_client.describe_key(KeyId="alias/none")
    (record,) = kms_mock.calls.refused
    assert record.refused
    assert record.error.code == "NotFoundException"
    assert record.key is None
    assert record.encryption_context == {}
    assert kms_mock.calls.with_error("NotFoundException") == [record]
    assert not kms_mock.calls.with_error("AccessDeniedException")
    assert not kms_mock.calls.succeeded


def test_the_context_of_a_malformed_request_is_empty(kms_mock, kms_client, key):
    with pytest.raises(ClientError):
        kms_client.encrypt(KeyId=key["KeyId"], Plaintext=b"")
    assert kms_mock.calls.last.encryption_context == {}


def test_the_context_of_re_encrypt_is_that_of_the_source(kms_mock, kms_client, key):
    blob = encrypt(kms_client, key["KeyId"], tenant="a")
    kms_client.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext={"tenant": "a"}, DestinationKeyId="alias/app"
    )  # fmt: skip
    assert kms_mock.calls.last.encryption_context == {"tenant": "a"}
    assert len(kms_mock.calls.last.keys) == 2


def test_calls_are_filtered_by_operation_and_members(kms_mock, kms_client, key):
    encrypt(kms_client, "alias/app", tenant="a", table="t")
    encrypt(kms_client, key["KeyId"], tenant="b")
    calls = kms_mock.calls
    assert len(calls.of("Encrypt")) == 2
    assert len(calls.of("Encrypt", EncryptionContext={"tenant": "a"})) == 1
    assert len(calls.of(EncryptionContext={"tenant": "b"})) == 1
    assert len(calls.of("Encrypt").of(KeyId=key["Arn"])) == 2
    assert [record.operation for record in calls.of("Encrypt", KeyId="alias/other")] == []
    assert calls.of("Decrypt").last is None


@pytest.mark.parametrize("form", ["KeyId", "Arn", "alias", "alias ARN"])
def test_a_key_is_found_by_any_of_its_identifiers(kms_mock, kms_client, key, form):
    blob = encrypt(kms_client, "alias/app")
    kms_client.decrypt(CiphertextBlob=blob)  # names no key: the ciphertext does
    forms = {"alias": "alias/app", "alias ARN": key["Arn"].split(":key/")[0] + ":alias/app"} | key
    on_key = kms_mock.calls.on(forms[form])
    assert [record.operation for record in on_key] == ["CreateAlias", "Encrypt", "Decrypt"]
    assert len(kms_mock.calls.of("Decrypt", KeyId=forms[form])) == 1


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("alias/other", id="an alias of no key"),
        pytest.param("arn:aws:kms:eu-west-1:123456789012:alias/app", id="an alias ARN of another Region"),
        pytest.param("arn:aws:kms:us-east-1:111122223333:alias/app", id="an alias ARN of another account"),
        pytest.param("12345678-1234-1234-1234-123456789012", id="another key"),
    ],
)
def test_other_identifiers_find_nothing(kms_mock, kms_client, key, identifier):
    encrypt(kms_client, key["KeyId"])
    assert not kms_mock.calls.on(identifier)


def test_an_alias_still_finds_a_call_after_it_moved(kms_mock, kms_client, key):
    encrypt(kms_client, "alias/app")
    other = kms_client.create_key()["KeyMetadata"]["KeyId"]
    kms_client.update_alias(AliasName="alias/app", TargetKeyId=other)
    assert len(kms_mock.calls.on("alias/app").of("Encrypt")) == 1


ROLE = "arn:aws:iam::111122223333:role/Worker"


def test_calls_are_filtered_by_principal(kms_mock):
    session = Caller(Principal.parse("arn:aws:sts::111122223333:assumed-role/Worker/one"), "111122223333")
    kms_mock.client().list_keys()
    user = kms_mock.calls.last.caller
    assert len(kms_mock.calls.by(user)) == 1
    assert len(kms_mock.calls.by(user.arn)) == 1
    assert len(kms_mock.calls.by("123456789012")) == 1
    assert not kms_mock.calls.by(ROLE)
    with pytest.raises(KmsError):
        kms_mock._service.call("ListKeys", {"Limit": 0}, session, "us-east-1")
    assert len(kms_mock.calls.by(ROLE)) == 1
    assert len(kms_mock.calls.by(session)) == 1


def test_calls_are_filtered_by_region(kms_mock, kms_client):
    kms_client.list_keys()
    kms_mock.client(region="eu-west-1").list_keys()
    assert [record.region for record in kms_mock.calls.in_region("eu-west-1")] == ["eu-west-1"]


def test_a_nested_mock_begins_without_calls_and_keeps_its_own():
    with mock_kms() as outer:
        outer.client().list_keys()
        with mock_kms() as inner:
            assert inner.calls == []
            inner.client().list_aliases()
            assert [record.operation for record in inner.calls] == ["ListAliases"]
        assert [record.operation for record in outer.calls] == ["ListKeys"]


def test_calls_can_be_forgotten(kms_mock, kms_client, key):
    kms_mock.calls.clear()
    encrypt(kms_client, key["KeyId"])
    assert [record.operation for record in kms_mock.calls] == ["Encrypt"]


@pytest.mark.parametrize(
    ("operation", "members", "text"),
    [
        pytest.param("Decyrpt", {}, "Unknown KMS operation 'Decyrpt'. Did you mean 'Decrypt'?", id="operation"),
        pytest.param("xyz", {}, "Unknown KMS operation 'xyz'.", id="operation like no other"),
        pytest.param(
            "Decrypt",
            {"EncryptionContexts": {}},
            "Unknown parameter 'EncryptionContexts' of KMS Decrypt. Did you mean 'EncryptionContext'?",
            id="member",
        ),
        pytest.param("encrypt", {}, "Unknown KMS operation 'encrypt'. Did you mean 'Encrypt'?", id="boto3's method"),
        pytest.param(
            "re_encrypt",
            {},
            "Unknown KMS operation 're_encrypt'. Did you mean 'ReEncrypt'?",
            id="boto3's longer method",
        ),
        pytest.param(
            "Encrypt",
            {"key_id": "x"},
            "Unknown parameter 'key_id' of KMS Encrypt. Did you mean 'KeyId'?",
            id="member in lower case",
        ),
        pytest.param(5, {}, "Unknown KMS operation 5.", id="number"),
        pytest.param(["Encrypt"], {}, "Unknown KMS operation ['Encrypt']. Did you mean 'Encrypt'?", id="list"),
        pytest.param(None, {"via": "S3"}, "Unknown service 'S3'. Did you mean 's3'?", id="service"),
        pytest.param(
            None,
            {"via": "s3.us-east-1.amazonaws.com"},
            "Unknown service 's3.us-east-1.amazonaws.com'. Did you mean 's3'?",
            id="service principal",
        ),
        pytest.param(
            "Decrypt", {"via": "*"}, "Unknown service '*'. Give a name such as 's3'.", id="service like no other"
        ),
        pytest.param(None, {"zzz": 1}, "Unknown parameter 'zzz' of any KMS operation.", id="of any operation"),
    ],
)
def test_a_filter_that_could_never_match_is_refused(kms_mock, operation, members, text):
    with pytest.raises(InvalidCallPattern) as refused:
        kms_mock.calls.of(operation, **members)
    assert str(refused.value) == text


def test_a_call_shows_what_matters(kms_mock, kms_client):
    kms_client.create_key(Description="shown")
    assert repr(kms_mock.calls[0]) == "<CallRecord CreateKey(Description='shown') in us-east-1>"


def test_a_slice_can_be_filtered_again(kms_mock, kms_client, key):
    encrypt(kms_client, key["KeyId"], tenant="a")
    encrypt(kms_client, key["KeyId"], tenant="b")
    later = kms_mock.calls[3:]
    assert [record.encryption_context for record in later.of("Encrypt")] == [{"tenant": "b"}]
    assert later.on("alias/app") == later
    assert kms_mock.calls[-1] is later.last
    assert kms_mock.calls[:2].of("Encrypt").last is None
    before = kms_mock.calls.copy()
    encrypt(kms_client, key["KeyId"], tenant="c")
    assert (len(before.of("Encrypt")), len(kms_mock.calls.of("Encrypt"))) == (2, 3)


def test_keys_and_credentials_are_taken_for_their_arns(kms_mock, kms_client, key):
    encrypt(kms_client, key["KeyId"])
    alice = kms_mock.credentials("user/alice")
    with pytest.raises(ClientError):
        kms_mock.client(principal=alice).list_keys()
    view = kms_mock.keys[key["KeyId"]]
    assert kms_mock.calls.on(view) == kms_mock.calls.on(view.record) == kms_mock.calls.on(key["Arn"])
    kms_mock.assert_called("Encrypt", KeyId=view)
    (call,) = kms_mock.calls.by(alice)
    assert call.operation == "ListKeys"
    assert kms_mock.calls.by("user/alice") == [call]
    assert kms_mock.calls.by("user/bob") == []


def test_the_short_name_of_a_role_stands_for_all_its_sessions(kms_mock):
    for session in ("one", "two"):
        with pytest.raises(ClientError):
            kms_mock.client(principal=kms_mock.credentials("role/app", session_name=session)).list_keys()
    assert len(kms_mock.calls.by("role/app")) == 2
    assert len(kms_mock.calls.by("assumed-role/app/two")) == 1


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        pytest.param("on", 5, "calls.on() takes a key id, key ARN, alias name such as 'alias/orders', alias ARN, or a "
                     "key of kms_mock.keys, not 5.", id="on"),
        pytest.param("on", "app", "calls.on() takes a key id, key ARN, alias name such as 'alias/orders', alias ARN, "
                     "or a key of kms_mock.keys, not 'app'.", id="on without alias/"),
        pytest.param("by", None, "calls.by() takes the ARN of a principal, 'user/NAME', 'role/NAME' or 'root', the "
                     "name of a service, an account id, or credentials, not None.", id="by"),
        pytest.param("by", "alice", "calls.by() takes the ARN of a principal, 'user/NAME', 'role/NAME' or 'root', the "
                     "name of a service, an account id, or credentials, not 'alice'.", id="by without user/"),
        pytest.param("in_region", "Ohio", "calls.in_region() takes the name of a Region, such as 'eu-west-1', not "
                     "'Ohio'.", id="in_region by its city"),
        pytest.param("with_error", "AccessDenied", "Unknown error 'AccessDenied': neither an error code of KMS nor a "
                     "connection error of botocore, and no call had it. Did you mean 'AccessDeniedException'?",
                     id="error of S3"),
        pytest.param("in_region", None, "calls.in_region() takes the name of a Region, such as 'eu-west-1', not None.",
                     id="in_region"),
        pytest.param("with_error", 400, "calls.with_error() takes an error code, such as 'AccessDeniedException', "
                     "not 400.", id="with_error"),
    ],
)  # fmt: skip
def test_a_filter_by_something_else_is_refused(kms_mock, name, given, text):
    with pytest.raises(InvalidCallPattern) as refused:
        getattr(kms_mock.calls, name)(given)
    assert str(refused.value) == text


@pytest.mark.parametrize(
    "principal",
    ["111122223333", "root", "role/app", "arn:aws:sts::111122223333:assumed-role/app/one", "s3.amazonaws.com"],
)
def test_principals_who_called_nothing_have_no_calls(kms_mock, kms_client, principal):
    kms_client.list_keys()
    assert kms_mock.calls.by(principal) == []


def test_a_region_of_the_future_that_was_called_is_found():
    with mock_kms(region="xx-new-1") as kms:
        kms.client().list_keys()
        assert len(kms.calls.in_region("xx-new-1")) == 1
        assert kms.calls.in_region("eu-west-1") == []


@pytest.mark.parametrize("code", ["DisabledException", "ReadTimeoutError", "503"])
def test_errors_that_no_call_had_have_no_calls(kms_mock, kms_client, code):
    kms_client.list_keys()
    assert kms_mock.calls.with_error(code) == []


def test_an_error_code_that_a_fault_made_up_is_found(kms_mock):
    kms_mock.faults.add("ListKeys", error="TeapotException", status=418)
    with pytest.raises(ClientError):
        kms_mock.client().list_keys()
    assert len(kms_mock.calls.with_error("TeapotException")) == 1


def test_calls_show_in_short(kms_mock, kms_client, key):
    kms_mock.calls.clear()
    kms_client.encrypt(KeyId="alias/app", Plaintext=bytes(500))
    with pytest.raises(ClientError):
        kms_client.describe_key(KeyId="alias/none")
    assert repr(kms_mock.calls) == (
        f"[Encrypt(KeyId='alias/app', Plaintext={bytes(16)!r}… (500 bytes)) in us-east-1, "
        "DescribeKey(KeyId='alias/none') in us-east-1 -> NotFoundException: "
        "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.]"
    )


@pytest.mark.parametrize("fault", [False, True], ids=["refused by KMS", "refused by a fault"])
def test_blobs_of_an_invalid_request_are_bytes_too(kms_mock, key, fault):
    if fault:
        kms_mock.faults.add("Encrypt", error="DisabledException", Plaintext=bytes(5000))
    with pytest.raises(ClientError):
        kms_mock.client().encrypt(KeyId="alias/app", Plaintext=bytes(5000))
    call = kms_mock.calls.last
    assert call.error.code == ("DisabledException" if fault else "ValidationException")
    kms_mock.assert_called("Encrypt", KeyId="alias/app", Plaintext=bytes(5000))


def test_the_oldest_calls_go_when_there_are_too_many():
    with mock_kms(max_calls=20) as kms:
        client = kms.client()
        for limit in range(1, 26):
            client.list_keys(Limit=limit)
        limits = [call.params["Limit"] for call in kms.calls]
        assert limits == list(range(limits[0], 26))
        assert 18 <= len(limits) <= 20
