"""KMS by `requests`, beside what tests do to `requests` themselves."""

from __future__ import annotations

import io
from contextlib import ExitStack
from types import ModuleType

import pytest
import requests
import requests_mock
import responses
from moto import mock_aws
from requests.auth import AuthBase

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport.hooks import installation, requests_hook
from pytest_kmsmock.errors import RealKmsCall

URL = "https://kms.us-east-1.amazonaws.com/"
OTHER = "https://example.com/"


def post(sign, operation: str = "ListKeys", session: requests.Session | None = None, **kwargs) -> requests.Response:
    request = sign(operation)
    return (session or requests).post(request.url, headers=request.headers, data=request.body, **kwargs)


def test_a_signed_request_is_a_call(kms_mock, sign):
    response = post(sign, "CreateKey")
    assert (response.status_code, response.reason, response.ok) == (200, "OK", True)
    assert response.json()["KeyMetadata"]["Arn"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert response.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert response.elapsed.total_seconds() == 0
    (call,) = kms_mock.calls
    assert (call.operation, call.request_id) == ("CreateKey", response.headers["x-amzn-RequestId"])


def test_the_answer_to_head_has_no_body(kms_mock):
    response = requests.head(URL)
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(lambda body: io.BytesIO(body), id="file"),
        pytest.param(lambda body: io.StringIO(body.decode()), id="text-file"),
        pytest.param(lambda body: iter([body[:5], body[5:]]), id="parts"),
    ],
)
def test_a_body_that_is_a_stream_is_read(kms_mock, sign, stream):
    request = sign("CreateKey", '{"Description": "from a stream"}')
    response = requests.post(request.url, headers=request.headers, data=stream(request.body))
    assert response.json()["KeyMetadata"]["Description"] == "from a stream"


def test_another_signer(kms_mock, sign):
    class Signer(AuthBase):
        """Stands for requests-auth-aws-sigv4 and its like: it signs what `requests` has prepared."""

        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            signed = sign("ListKeys", request.body)
            request.headers.update(signed.headers)
            return request

    response = requests.post(URL, data="{}", auth=Signer())
    assert response.json()["Keys"] == []


def test_an_unsigned_request_is_refused_as_on_aws(kms_mock):
    response = requests.post(URL, headers={"X-Amz-Target": "TrentService.ListKeys",
                                           "Content-Type": "application/x-amz-json-1.1"}, json={})  # fmt: skip
    assert response.status_code == 400
    assert response.json() == {
        "__type": "MissingAuthenticationTokenException",
        "message": "Missing Authentication Token",
    }
    with pytest.raises(requests.HTTPError, match="400 Client Error: Bad Request for url: https"):
        response.raise_for_status()


def test_a_streamed_answer_and_hooks_of_a_session(kms_mock, sign):
    seen = []
    with requests.Session() as session:
        session.hooks["response"].append(lambda response, **_: seen.append(response.status_code))
        response = post(sign, session=session, stream=True)
        assert b"".join(response.iter_content(5)) == response.content
    assert seen == [200]


def test_a_stream_as_body_has_no_members(kms_mock, sign):
    request = sign("ListKeys", "")
    assert requests.post(request.url, headers=request.headers, data=iter([b"{}"])).status_code == 200


def test_other_hosts_are_left_alone(kms_mock):
    with pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:9/")
    assert list(kms_mock.calls) == []


def test_a_named_endpoint_is_answered(sign):
    with mock_kms(endpoint_urls="http://127.0.0.1:9") as kms:
        request = sign(url="http://127.0.0.1:9/")
        assert requests.post(request.url, headers=request.headers, data=request.body).status_code == 200
        assert len(kms.calls) == 1


def test_other_services_at_a_named_endpoint_are_left_alone(sign, present):
    """As with a LocalStack, which has all services at one address."""
    url = "http://127.0.0.1:9/"
    with mock_kms(endpoint_urls=url) as kms, responses.RequestsMock() as localstack:
        localstack.get(f"{url}_localstack/health", body="running")
        localstack.post(url, body="another service")
        assert requests.get(f"{url}_localstack/health").text == "running"
        request = sign(url=url, service="dynamodb", X_Amz_Target="DynamoDB_20120810.ListTables")
        assert requests.post(url, headers=request.headers, data=request.body).text == "another service"
        assert list(kms.calls) == []

        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys"}
        assert requests.post(url, headers=headers, data="{}").json()["__type"] == "MissingAuthenticationTokenException"
        request = sign(url=url, X_Amz_Target="Nobody.ListKeys")
        assert requests.post(url, headers=request.headers, data="{}").json()["__type"] == "UnknownOperationException"
        assert requests.post(present(url=url).url, data="{}").status_code == 404  # signed for KMS, without a protocol


def test_raw_requests_outside_a_mock_are_guarded_too(monkeypatch):
    installation.install()
    monkeypatch.setattr(network_guard, "blocking", True)
    with pytest.raises(RealKmsCall, match="called KMS GET outside a mock"):
        requests.get(URL)


def own_responses(stack: ExitStack) -> None:
    stack.enter_context(responses.RequestsMock()).get(OTHER, body="from the test")


def own_requests_mock(stack: ExitStack) -> None:
    stack.enter_context(requests_mock.Mocker()).get(OTHER, text="from the test")


def own_requests_mock_passing_on(stack: ExitStack) -> None:
    stack.enter_context(requests_mock.Mocker(real_http=True)).get(OTHER, text="from the test")


def moto_and_responses(stack: ExitStack) -> None:
    stack.enter_context(mock_aws())
    own_responses(stack)


def kms(stack: ExitStack) -> None:
    stack.enter_context(mock_kms())


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((own_responses, kms), id="responses-outside"),
        pytest.param((kms, own_responses), id="responses-inside"),
        pytest.param((own_requests_mock, kms), id="requests-mock-outside"),
        pytest.param((kms, own_requests_mock), id="requests-mock-inside"),
        pytest.param((kms, own_requests_mock_passing_on), id="requests-mock-inside-that-passes-on"),
        pytest.param((own_requests_mock, kms, own_requests_mock), id="requests-mock-on-both-sides"),
        pytest.param((moto_and_responses, kms), id="moto-outside"),
        pytest.param((kms, moto_and_responses), id="moto-inside"),
        pytest.param((kms, own_requests_mock_passing_on, kms), id="kms-on-both-sides"),
    ],
)
def test_stand_ins_of_the_test_keep_working(order, sign):
    with ExitStack() as stack:
        for enter in order:
            enter(stack)
        assert requests.get(OTHER).text == "from the test"
        assert post(sign).json() == {"Keys": [], "Truncated": False}


def test_a_strict_stand_in_inside_a_mock_refuses_other_hosts_only(kms_mock, sign):
    with requests_mock.Mocker() as mocker:
        mocker.post(URL, text="never")  # as with `responses`: KMS is the mock's while it is active
        assert post(sign).json()["Keys"] == []
        with pytest.raises(requests_mock.NoMockAddress):
            requests.get(OTHER)
    with requests.Session() as session, requests_mock.Mocker(session=session):
        assert post(sign, session=session).json()["Keys"] == []
    assert len(kms_mock.calls) == 2


def test_a_stand_in_outside_a_mock_is_no_real_call(sign, monkeypatch):
    installation.install()
    monkeypatch.setattr(network_guard, "blocking", True)
    with requests_mock.Mocker() as mocker:
        mocker.post(URL, text="from the test")
        assert post(sign).text == "from the test"


def test_a_stand_in_that_keeps_its_names_to_itself_is_let_be():
    other_release = ModuleType("requests_mock.mocker")
    requests_hook.install_beside(other_release)
    assert not hasattr(other_release, "_original_send")


def test_nothing_is_left_behind_by_stand_ins_that_end_in_another_order(sign):
    mocker = requests_mock.Mocker(real_http=True)
    with mock_kms():
        mocker.start()
        assert post(sign).status_code == 200
    mocker.stop()
    with mock_kms():
        assert post(sign).status_code == 200


def test_requests_is_not_imported_for_this(run_python):
    run_python("""
        import sys
        from pytest_kmsmock import mock_kms
        with mock_kms() as kms:
            kms.client().list_keys()
        assert not {"requests", "responses", "httptools"} & set(sys.modules)
    """)


def test_requests_imported_while_a_mock_is_active(run_python):
    run_python("""
        import sys
        from pytest_kmsmock import mock_kms
        with mock_kms() as kms:
            assert "requests" not in sys.modules
            with mock_kms():
                import requests
                response = requests.get("https://kms.us-east-1.amazonaws.com/")
                assert response.text == "<UnknownOperationException/>\\n", response.text
            assert not [finder for finder in sys.meta_path if getattr(finder, "name", "") == "requests.sessions"]
    """)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("import requests_mock", id="before-everything"),
        pytest.param("import pytest_kmsmock, requests", id="after-requests"),
        pytest.param("with mock_kms(): import requests_mock", id="in-a-mock"),
        pytest.param("with mock_kms(): pass", id="after-a-mock"),
    ],
)
def test_requests_mock_may_be_imported_at_any_time(run_python, first):
    run_python(f"""
        from pytest_kmsmock import mock_kms
        {first}
        import requests_mock, requests
        for _ in range(2):
            with mock_kms() as kms, requests_mock.Mocker() as mocker:
                mocker.get("https://example.com/", text="from the test")
                assert requests.get("{URL}").text == "<UnknownOperationException/>\\n"
                assert requests.get("https://example.com/").text == "from the test"
    """)


def test_a_region_that_does_not_exist_is_not_found(kms_mock):
    with pytest.raises(requests.ConnectionError, match="Did you mean 'eu-west-1'"):
        requests.post("https://kms.eu-wst-1.amazonaws.com/", data="{}", timeout=1)
