"""The hook of botocore: which clients and which calls it answers, and how."""

from __future__ import annotations

import gc
import json
import re
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.handlers
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, DeferredRefreshableCredentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.hooks import HierarchicalEmitter
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserFactory
from botocore.session import Session

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._runtime.environment import DUMMY_SECRET_ACCESS_KEY
from pytest_kmsmock._transport.hooks import botocore_hook, installation
from pytest_kmsmock.errors import MissingExtra, RealKmsCall

KMS = "https://kms.us-east-1.amazonaws.com/"


def test_clients_that_are_older_than_the_package_are_answered(run_python):
    run_python("""
        import os
        os.environ |= {"AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none"}
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            os.environ.pop(name, None)
        import boto3, botocore.session
        session = boto3.session.Session(region_name="us-east-1")
        early = {
            "boto3 without credentials": boto3.client("kms", region_name="us-east-1"),
            "boto3 with credentials": boto3.client(
                "kms", region_name="us-east-1", aws_access_key_id="AKIAREALREALREALREAL", aws_secret_access_key="real"),
            "session": session.client("kms"),
            "botocore": botocore.session.get_session().create_client("kms", region_name="us-east-1"),
        }
        from pytest_kmsmock import mock_kms
        for wire in (False, True):
            with mock_kms(wire=wire):
                late = {"of an early session": session.client("kms"), "late": boto3.client("kms")}
                for count, (name, client) in enumerate((early | late).items(), 1):
                    client.create_key()
                    assert len(client.list_keys()["Keys"]) == count, name
    """)


def test_a_client_made_between_mocks_is_answered():
    with mock_kms():
        pass
    client = boto3.client("kms", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with mock_kms():
        assert client.list_keys()["Keys"] == []


def test_clients_in_threads(kms_mock):
    def use(_: int) -> str:
        return boto3.session.Session().client("kms").create_key()["KeyMetadata"]["KeyId"]

    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(use, range(12)))
    assert {entry["KeyId"] for entry in kms_mock.client().list_keys()["Keys"]} == made


@pytest.mark.parametrize("wire", [False, True])
def test_a_client_with_an_endpoint_of_its_own_passes_through(wire):
    with mock_kms(wire=wire) as kms:
        client = kms.client(
            endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1}, connect_timeout=1)
        )
        with pytest.raises(EndpointConnectionError):
            client.create_key()
        assert list(kms.calls) == []


@pytest.mark.parametrize("wire", [False, True])
def test_a_named_endpoint_is_answered(wire):
    with mock_kms(wire=wire, endpoint_urls="http://127.0.0.1:9") as kms:
        client = kms.client(endpoint_url="http://127.0.0.1:9", region="eu-west-1")
        assert client.create_key()["KeyMetadata"]["Arn"].split(":")[3] == "eu-west-1"


@pytest.mark.parametrize("wire", [False, True])
def test_other_services_at_a_named_endpoint_are_left_alone(wire):
    with mock_kms(wire=wire, endpoint_urls="http://127.0.0.1:9"):
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
        client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9", config=config)
        with pytest.raises(EndpointConnectionError):
            client.list_tables()


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso")],
)
def test_partitions(kms_mock, region, partition):
    metadata = kms_mock.client(region=region).create_key()["KeyMetadata"]
    assert metadata["Arn"] == f"arn:{partition}:kms:{region}:123456789012:key/{metadata['KeyId']}"


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize(
    ("region", "hint"),
    [
        pytest.param("eu-wst-1", "Did you mean 'eu-west-1'?", id="misspelt"),
        pytest.param("us-east-1a", "Did you mean 'us-east-1'?", id="zone"),
        pytest.param("local", "If the Region is new, update botocore", id="unlike any"),
    ],
)
def test_a_region_that_does_not_exist_has_no_endpoint(wire, region, hint):
    """As without a mock, where its name is not found; the error says more."""
    with mock_kms(wire=wire) as kms:
        client = kms.client(region=region, config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(EndpointConnectionError, match=rf"Could not connect .*kms\.{region}\..*{re.escape(hint)}"):
            client.create_key()
        assert kms.calls == []


def test_a_region_that_a_test_names_exists():
    with mock_kms(region="xx-new-1") as kms:
        assert kms.client().create_key()["KeyMetadata"]["Arn"].split(":")[3] == "xx-new-1"


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize(
    "host", ["kms.us-east-1.amazonaws.com", "vpce-0a1b2c3d4e5f67890-abcdefgh.kms.us-east-1.vpce.amazonaws.com"]
)
def test_a_signature_scoped_to_another_region_is_refused(wire, host, refusal):
    """Reported by users of several AWS SDKs: aws/aws-sdk-ruby#508, aws/aws-sdk-js-v3#5576."""
    with mock_kms(wire=wire) as kms:
        client = kms.client(region="eu-west-1", endpoint_url=f"https://{host}")
        with refusal("InvalidSignatureException", re.compile("Credential should be scoped to a valid region.*")):
            client.create_key()
        assert len(kms.keys) == 0


@pytest.mark.parametrize("config", [{"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}])
def test_variants_of_the_endpoint(kms_mock, config):
    assert kms_mock.client(config=Config(**config)).list_keys()["Keys"] == []


def test_regions_are_apart(kms_mock):
    here, there = kms_mock.client(region="us-east-1"), kms_mock.client(region="eu-west-1")
    key = here.create_key()["KeyMetadata"]
    assert there.list_keys()["Keys"] == []
    with pytest.raises(there.exceptions.NotFoundException):
        there.describe_key(KeyId=key["KeyId"])


@pytest.mark.parametrize("wire", [False, True])
def test_credentials_that_a_test_takes_away_are_missing(monkeypatch, wire):
    with mock_kms(wire=wire):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(NoCredentialsError):
            botocore.session.Session().create_client("kms", region_name="us-east-1").list_keys()


@pytest.mark.parametrize("wire", [False, True])
def test_an_unsigned_request_has_no_token(wire):
    with mock_kms(wire=wire) as kms, pytest.raises(ClientError) as refused:
        kms.client(config=Config(signature_version=UNSIGNED)).list_keys()
    assert refused.value.response["Error"] == {
        "Code": "MissingAuthenticationTokenException",
        "Message": "Missing Authentication Token",
    }


def test_real_credentials_sign_nothing(monkeypatch):
    from botocore import auth

    signed, add_auth = [], auth.SigV4Auth.add_auth

    def watch(self, request):
        signed.append((self.credentials.access_key, self.credentials.secret_key, self.credentials.token))
        add_auth(self, request)

    monkeypatch.setattr(auth.SigV4Auth, "add_auth", watch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    for wire in (False, True):
        with mock_kms(wire=wire):
            boto3.session.Session().client("kms").list_keys()
    assert signed == [("AKIAREALREALREALREAL", DUMMY_SECRET_ACCESS_KEY, None)]


@pytest.mark.parametrize("wire", [False, True])
def test_credentials_are_not_refreshed(wire):
    def refresh() -> dict[str, str]:
        raise AssertionError("this would go over the network")

    credentials = DeferredRefreshableCredentials(refresh, "test")
    with mock_kms(wire=wire) as kms:
        client = kms.client()
        client._request_signer._credentials = credentials
        assert client.list_keys()["Keys"] == []


def test_a_signed_request_without_a_client_is_a_call(kms_mock):
    request = AWSRequest(
        "POST",
        "https://kms.eu-west-1.amazonaws.com/",
        headers={"X-Amz-Target": "TrentService.CreateKey", "Content-Type": "application/x-amz-json-1.1"},
        data="{}",
    )
    SigV4Auth(Credentials("AKIAREALREALREALREAL", "real"), "kms", "eu-west-1").add_auth(request)
    response = URLLib3Session().send(request.prepare())
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-amz-json-1.1")
    metadata = json.loads(response.content)["KeyMetadata"]
    assert metadata["Arn"].startswith("arn:aws:kms:eu-west-1:")
    assert json.loads(response.text) == json.loads(b"".join(response.raw.stream()))
    assert [call.operation for call in kms_mock.calls] == ["CreateKey"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://kms.localhost:9/"])
def test_a_request_without_a_client_to_elsewhere_goes_there(kms_mock, url):
    request = AWSRequest("POST", url, headers={"X-Amz-Target": "TrentService.CreateKey"}, data="{}")
    with pytest.raises(EndpointConnectionError):
        URLLib3Session(timeout=1).send(request.prepare())
    assert list(kms_mock.calls) == []


def test_raw_requests_outside_a_mock_are_guarded_too(monkeypatch):
    installation.install()
    monkeypatch.setattr(network_guard, "blocking", True)
    request = AWSRequest("POST", "https://kms.us-east-1.amazonaws.com/", {"X-Amz-Target": "TrentService.CreateKey"})
    with pytest.raises(RealKmsCall, match="called KMS CreateKey outside a mock"):
        URLLib3Session().send(request.prepare())


def test_other_services_are_left_alone(kms_mock):
    client = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(EndpointConnectionError):
        client.get_caller_identity()


def test_events_of_the_user_still_fire(kms_client):
    seen = []
    kms_client.meta.events.register("after-call.kms.ListKeys", lambda parsed, **_: seen.append(parsed["Keys"]))
    kms_client.list_keys()
    assert seen == [[]]


@pytest.mark.parametrize("wire", [False, True])
def test_exceptions_are_the_clients_own_classes(wire):
    with mock_kms(wire=wire) as kms:
        client = kms.client()
        with pytest.raises(client.exceptions.NotFoundException) as refused:
            client.describe_key(KeyId="00000000-0000-4000-8000-000000000000")
        response = refused.value.response
        message = "Key 'arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000' does not exist"
        assert response["Error"] == {"Code": "NotFoundException", "Message": message}
        assert response["message"] == message
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("wire", [False, True])
def test_paginators(wire):
    with mock_kms(wire=wire) as kms:
        client = kms.client()
        made = {client.create_key()["KeyMetadata"]["KeyId"] for _ in range(7)}
        pages = list(client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}))
        assert [len(page["Keys"]) for page in pages] == [3, 3, 1]
        assert {entry["KeyId"] for page in pages for entry in page["Keys"]} == made


def test_who_parses_answers_in_a_way_of_its_own_gets_them_from_the_wire(kms_mock, monkeypatch):
    monkeypatch.setattr(botocore_hook, "_own_parsers", [])  # of this test only
    # As the AWS CLI does. The factory may be older than the package: see tests/cli for that.
    session = botocore.session.Session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    client = session.create_client("kms")
    assert client.create_key()["KeyMetadata"]["CreationDate"].replace(".", "").isdigit()


def test_aiobotocore_is_named_when_it_is_missing(kms_mock):
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-kmsmock\[aio\]'"):
        kms_mock.async_client()


@pytest.fixture
def not_installed(monkeypatch):
    """As if no mock had been in this process; the garbage collector is told what it knows by the test."""
    monkeypatch.setattr(botocore_hook, "_own_parsers", [])
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [])
    monkeypatch.setattr(Session, "_add_configured_endpoint_provider", Session._add_configured_endpoint_provider)
    monkeypatch.setattr(URLLib3Session, "send", URLLib3Session.send)
    monkeypatch.setattr(ResponseParserFactory, "set_parser_defaults", ResponseParserFactory.set_parser_defaults)
    known = []
    monkeypatch.setattr(gc, "get_referrers", lambda *_: known)
    return known


def test_installing_finds_emitters_and_parser_factories_that_are_there(not_installed):
    emitter, plain, changed = HierarchicalEmitter(), ResponseParserFactory(), ResponseParserFactory()
    changed._defaults["timestamp_parser"] = str
    not_installed += [emitter, plain, changed, object()]
    botocore_hook.install(botocore.session, False)
    assert [found() for found in botocore_hook._own_parsers] == [changed]
    with mock_kms():
        _, response = emitter.emit_until_response("before-send.kms.ListKeys", request=AWSRequest("GET", KMS).prepare())
    assert response.status_code == 404
    not_installed.append(HierarchicalEmitter())
    botocore_hook.install(botocore.session, False)  # once is enough
    assert not_installed[-1].emit("before-send.kms.ListKeys") == []


def test_the_garbage_collector_knows_what_there_is_of_a_class_and_those_that_derive_from_it():
    class Derived(HierarchicalEmitter):
        pass

    class Further(Derived):
        pass

    emitters = [HierarchicalEmitter(), Derived(), Further()]
    found = gc.get_referrers(*botocore_hook._family(HierarchicalEmitter))
    assert all(any(candidate is emitter for candidate in found) for emitter in emitters)


def test_a_botocore_that_has_just_been_imported_has_nothing_to_find(not_installed):
    not_installed.append(emitter := HierarchicalEmitter())
    botocore_hook.install(botocore.session, True)
    assert emitter.emit("before-send.kms.ListKeys") == []


def test_headers_may_be_of_any_kind_when_they_get_here():
    """What handlers of the user's make of a request is answered, as AWS would answer it."""

    def replace_headers(request, **_):
        request.headers = {
            name.title(): value.encode() if isinstance(value, str) else value for name, value in request.headers.items()
        }

    with mock_kms(wire=True) as kms:
        client = kms.client()
        client.meta.events.register_first("before-send.kms", replace_headers)
        assert client.create_key(Description="x")["KeyMetadata"]["Description"] == "x"
