from __future__ import annotations

import contextlib
import time
from datetime import datetime, timezone

import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock.errors import InvalidCallPattern, InvalidFault, InvalidOption, UnusedFaults, UnusedFaultsWarning

MODES = ["legacy", "standard", "adaptive"]
THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."


@pytest.fixture
def blob(kms_client):
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    return kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]


@pytest.fixture
def patient(kms_mock):
    """A client that does not retry."""
    return kms_mock.client(config=Config(retries={"total_max_attempts": 1}))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "error",
    ["ThrottlingException", "KMSInternalException", 500, 503, "EndpointConnectionError", "ConnectTimeoutError",
     "ReadTimeoutError", "ConnectionClosedError"],
)  # fmt: skip
def test_botocore_retries_what_it_retries_on_aws(kms_mock, blob, mode, error):
    client = kms_mock.client(config=Config(retries={"mode": mode, "max_attempts": 3}))
    kms_mock.calls.clear()
    with kms_mock.faults.add("Decrypt", error=error, times=2) as fault:
        answer = client.decrypt(CiphertextBlob=blob)
    assert answer["Plaintext"] == b"x"
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert fault.fired == 2
    assert fault.exhausted
    assert len(kms_mock.calls.of("Decrypt")) == 3
    assert len(kms_mock.faults.backoffs) == 2


@pytest.mark.parametrize("mode", MODES)
def test_an_error_that_botocore_does_not_retry_comes_at_once(kms_mock, blob, refusal, mode):
    client = kms_mock.client(config=Config(retries={"mode": mode}))
    with kms_mock.faults.add("Decrypt", error="KMSInvalidStateException", times=1), refusal("KMSInvalidStateException"):
        client.decrypt(CiphertextBlob=blob)
    assert not kms_mock.faults.backoffs


def test_an_error_that_stays_reaches_the_caller(kms_mock, blob, kms_client):
    with kms_mock.faults.add("Decrypt", error="KMSInternalException"):
        with pytest.raises(kms_client.exceptions.KMSInternalException) as failed:
            kms_client.decrypt(CiphertextBlob=blob)
        metadata = failed.value.response["ResponseMetadata"]
        assert metadata["HTTPStatusCode"] == 500
        assert metadata["MaxAttemptsReached"]
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_status_without_a_body_is_what_botocore_makes_of_one(kms_mock, patient):
    kms_mock.faults.add("ListKeys", error=503)
    with pytest.raises(ClientError) as failed:
        patient.list_keys()
    assert failed.value.response["Error"] == {"Code": "503", "Message": "Service Unavailable"}
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_status_without_a_name_has_no_message(kms_mock, patient):
    kms_mock.faults.add("ListKeys", error=599)
    with pytest.raises(ClientError) as failed:
        patient.list_keys()
    assert failed.value.response["Error"] == {"Code": "599", "Message": ""}


@pytest.mark.parametrize(
    "name",
    ["EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "SSLError",
     "ProxyConnectionError"],
)  # fmt: skip
@pytest.mark.parametrize("by", ["name", "class"])
def test_a_failed_connection_is_botocores_own_exception(kms_mock, patient, name, by):
    kind = getattr(botocore.exceptions, name)
    kms_mock.faults.add("ListKeys", error=name if by == "name" else kind)
    with pytest.raises(kind, match=r"kms\.us-east-1\.amazonaws\.com"):
        patient.list_keys()


@pytest.mark.parametrize(
    ("error", "code", "message", "status"),
    [
        pytest.param("ThrottlingException", "ThrottlingException", THROTTLED, 400, id="AWS's text"),
        pytest.param(
            "DependencyTimeoutException",
            "DependencyTimeoutException",
            "The system timed out while trying to fulfill the request. You can retry the request.",
            500,
            id="the model's description",
        ),
        pytest.param("InvalidCiphertextException", "InvalidCiphertextException", "", 400, id="AWS sends no text"),
        pytest.param("ServiceUnavailable", "ServiceUnavailable", None, 503, id="common to AWS"),
        pytest.param(KmsError("AnyException", "any text"), "AnyException", "any text", 400, id="an error as it is"),
    ],
)
def test_an_error_has_its_text_and_status(kms_mock, patient, error, code, message, status):
    kms_mock.faults.add("ListKeys", error=error)
    with pytest.raises(ClientError) as failed:
        patient.list_keys()
    answer = failed.value.response
    assert answer["Error"]["Code"] == code
    assert message is None or answer["Error"]["Message"] == message
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_text_names_the_key_the_caller_and_the_operation(kms_mock, kms_client, blob, refusal):
    arn = kms_mock.calls.last.key.arn
    kms_mock.faults.add("Decrypt", error="DisabledException", times=1)
    with refusal("DisabledException", f"{arn} is disabled."):
        kms_client.decrypt(CiphertextBlob=blob)
    kms_mock.faults.add("Decrypt", error="AccessDeniedException")
    with refusal(
        "AccessDeniedException",
        f"User: arn:aws:iam::123456789012:user/Administrator is not authorized to perform: kms:Decrypt on resource: "
        f"{arn} because no identity-based policy allows the kms:Decrypt action",
    ):
        kms_client.decrypt(CiphertextBlob=blob)


def test_text_and_status_can_be_given(kms_mock, patient):
    kms_mock.faults.add("ListKeys", error="NewException", status=418, message="with {braces}")
    with pytest.raises(ClientError) as failed:
        patient.list_keys()
    assert failed.value.response["Error"] == {"Code": "NewException", "Message": "with {braces}"}
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418


def test_a_fault_comes_before_anything_of_the_request_is_looked_at(kms_mock, patient, refusal):
    kms_mock.faults.add("Decrypt", error="ThrottlingException")
    with refusal("ThrottlingException", THROTTLED):
        patient.decrypt(CiphertextBlob=b"not a ciphertext")
    with refusal("ThrottlingException", THROTTLED):
        patient.decrypt(CiphertextBlob=b"")


def test_without_an_operation_all_calls_fail(kms_mock, patient, refusal):
    kms_mock.faults.add(error="ThrottlingException")
    for call in (patient.list_keys, patient.create_key):
        with refusal("ThrottlingException"):
            call()


def test_several_operations_share_one_count(kms_mock, patient, refusal):
    fault = kms_mock.faults.add(["ListKeys", "ListAliases"], error="ThrottlingException", times=2)
    for call in (patient.list_keys, patient.list_aliases):
        with refusal("ThrottlingException"):
            call()
    patient.list_keys()
    patient.list_aliases()
    assert fault.fired == 2


def test_the_first_calls_may_pass(kms_mock, patient, refusal):
    fault = kms_mock.faults.add("ListKeys", error="ThrottlingException", after=2, times=1)
    patient.list_keys()
    patient.list_keys()
    with refusal("ThrottlingException"):
        patient.list_keys()
    patient.list_keys()
    assert (fault.fired, fault.passed) == (1, 2)


def outcomes(seed: int) -> list[bool]:
    with mock_kms() as kms:
        client = kms.client(config=Config(retries={"total_max_attempts": 1}))
        kms.faults.add("ListKeys", error="ThrottlingException", rate=0.3, seed=seed)
        for _ in range(60):
            with contextlib.suppress(ClientError):
                client.list_keys()
        return [record.refused for record in kms.calls]


def test_a_rate_is_the_same_in_every_run_and_another_with_another_seed():
    first = outcomes(1)
    assert outcomes(1) == first
    assert outcomes(2) != first
    assert 5 < sum(first) < 35


def test_members_and_a_predicate_choose_the_calls(kms_mock, patient, kms_client, refusal):
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    kms_client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    kms_mock.faults.add("Encrypt", error="ThrottlingException", KeyId="alias/app", EncryptionContext={"tenant": "a"})
    kms_mock.faults.add("Encrypt", error="KMSInternalException", when=lambda call: call.params["Plaintext"] == b"bad")
    with refusal("ThrottlingException"):
        patient.encrypt(KeyId=key_id, Plaintext=b"bad", EncryptionContext={"tenant": "a", "table": "t"})
    with refusal("KMSInternalException"):
        patient.encrypt(KeyId=key_id, Plaintext=b"bad", EncryptionContext={"tenant": "b"})
    patient.encrypt(KeyId=key_id, Plaintext=b"good", EncryptionContext={"tenant": "b"})


def test_a_predicate_may_make_calls_itself(kms_mock, patient, refusal):
    kms_mock.faults.add("ListKeys", error="ThrottlingException", when=lambda _: bool(patient.list_aliases()))
    with refusal("ThrottlingException"):
        patient.list_keys()


def test_the_first_fault_that_fits_decides(kms_mock, patient, refusal):
    first = kms_mock.faults.add("ListKeys", error="ThrottlingException", times=1)
    second = kms_mock.faults.add("ListKeys", error="KMSInternalException", times=1)
    with refusal("ThrottlingException"):
        patient.list_keys()
    assert (first.fired, second.fired) == (1, 0)
    with refusal("KMSInternalException"):
        patient.list_keys()
    patient.list_keys()


def test_faults_can_be_removed(kms_mock, patient):
    fault = kms_mock.faults.add("ListKeys", error="ThrottlingException")
    kms_mock.faults.add("ListAliases", error="ThrottlingException")
    assert next(iter(kms_mock.faults)) == fault
    fault.remove()
    fault.remove()
    patient.list_keys()
    kms_mock.faults.clear()
    assert len(kms_mock.faults) == 0
    patient.list_aliases()


def test_the_record_of_a_call_says_that_its_error_was_injected(kms_mock, patient, blob):
    kms_mock.faults.add("Decrypt", error="ReadTimeoutError")
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        patient.decrypt(CiphertextBlob=blob)
    record = kms_mock.calls.last
    assert record.injected
    assert isinstance(record.error, InjectedError)
    assert record.error.code == "ReadTimeoutError"
    assert record.result is None
    assert record.params["CiphertextBlob"] == blob
    assert record.key is not None


def test_an_answer_can_be_lost_after_the_call_was_executed(kms_mock, patient):
    """What a read time-out may mean on AWS: code that creates again has two keys."""
    kms_mock.faults.add("CreateKey", error="ReadTimeoutError", executed=True)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        patient.create_key()
    (key,) = patient.list_keys()["Keys"]
    assert kms_mock.calls.of("CreateKey").last.error.lost_response["KeyMetadata"]["KeyId"] == key["KeyId"]


def test_a_lost_answer_does_not_hide_a_refusal(kms_mock, patient, refusal):
    kms_mock.faults.add("DescribeKey", error="ReadTimeoutError", executed=True)
    with refusal("NotFoundException"):
        patient.describe_key(KeyId="alias/none")


def test_answers_can_be_late_by_the_mocks_clock(kms_mock, kms_client):
    kms_mock.clock.freeze("2030-01-01T00:00:00Z")
    kms_mock.faults.add("CreateKey", clock_delay=40, times=1)
    kms_mock.faults.add("CreateKey", clock_delay=20)
    created = kms_client.create_key()["KeyMetadata"]["CreationDate"]
    assert created == kms_mock.clock.now() == datetime(2030, 1, 1, 0, 1, tzinfo=timezone.utc)


def test_answers_can_be_late_for_real(kms_mock, kms_client):
    kms_mock.faults.add("ListKeys", delay=0.05, times=1)
    begin = time.perf_counter()
    kms_client.list_keys()
    assert time.perf_counter() - begin >= 0.05
    begin = time.perf_counter()
    kms_client.list_keys()
    assert time.perf_counter() - begin < 0.05


def test_an_error_can_be_late_too_and_late_answers_add_up(kms_mock, patient, refusal):
    late = kms_mock.faults.add("ListKeys", delay=0.02)
    error = kms_mock.faults.add("ListKeys", error="ThrottlingException", delay=0.02)
    late_again = kms_mock.faults.add("ListKeys", delay=0.02)
    begin = time.perf_counter()
    with refusal("ThrottlingException"):
        patient.list_keys()
    assert time.perf_counter() - begin >= 0.06
    assert (late.fired, error.fired, late_again.fired) == (1, 1, 1)


def test_faults_that_never_fired_can_be_found(kms_mock, patient, refusal):
    used = kms_mock.faults.add("ListKeys", error="ThrottlingException")
    with refusal("ThrottlingException"):
        patient.list_keys()
    kms_mock.faults.assert_all_used()
    with kms_mock.faults.add("Sign", error=500, KeyId="alias/app") as unused:
        pass
    assert kms_mock.faults.unused == [unused]
    assert repr(used) == "<Fault ThrottlingException at ListKeys(), fired once>"
    with pytest.raises(UnusedFaults) as failed:
        kms_mock.faults.assert_all_used()
    assert str(failed.value).splitlines()[:2] == [
        "These faults never fired:",
        "  - <Fault 500 at Sign(KeyId='alias/app'), fired never>",
    ]


def test_a_fault_is_described_by_its_class_or_as_late():
    with mock_kms() as kms:
        named = kms.faults.add("ListKeys", error=botocore.exceptions.ReadTimeoutError)
        late = kms.faults.add(delay=1)
    assert repr(named).startswith("<Fault ReadTimeoutError at ListKeys()")
    assert repr(late).startswith("<Fault late answer at any operation()")


def test_a_nested_mock_begins_without_faults(kms_mock, refusal):
    kms_mock.faults.add("ListKeys", error="AccessDeniedException")
    with mock_kms() as inner:
        inner.client().list_keys()
    with refusal("AccessDeniedException"):
        kms_mock.client().list_keys()


def test_only_operations_with_faults_leave_the_short_path(kms_mock):
    assert kms_mock._service.interceptor is None
    fault = kms_mock.faults.add("Decrypt", error="ThrottlingException", times=1)
    assert kms_mock._core.goes_by_wire("Decrypt")
    assert not kms_mock._core.goes_by_wire("Encrypt")
    fault.remove()
    assert not kms_mock._core.goes_by_wire("Decrypt")
    assert kms_mock._service.interceptor is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param({}, "give an error, a delay or a clock_delay", id="nothing"),
        pytest.param({"delay": 1, "message": "x"}, "belong to an error", id="message without error"),
        pytest.param({"delay": 1, "executed": True}, "belong to an error", id="carried out without error"),
        pytest.param({"error": 500, "times": 0}, "times must be 1 or more", id="times"),
        pytest.param({"error": 500, "after": -1}, "after must be 0 or more", id="after"),
        pytest.param({"error": 500, "rate": 0}, "rate must be more than 0", id="no rate"),
        pytest.param({"error": 500, "rate": 1.5}, "at most 1", id="rate"),
        pytest.param({"delay": -1}, "seconds from 0 on", id="delay"),
        pytest.param(
            {"error": 200}, "error=200 must be an error code, or an HTTP status from", id="a status of success"
        ),
        pytest.param({"error": 500, "message": "x"}, "without a body", id="a message without a body"),
        pytest.param({"error": True}, "must be an error code", id="a boolean"),
        pytest.param({"error": "ThrotlingException"}, "Did you mean 'ThrottlingException'?", id="misspelt"),
        pytest.param({"error": "Zzz"}, "neither an error code of KMS", id="unknown"),
        pytest.param({"error": ValueError}, "neither an error code of KMS", id="another exception"),
        pytest.param({"error": ValueError("x")}, "by its name or class, not ValueError('x')", id="an exception made"),
        pytest.param({"error": 500, "status": 503}, "neither message nor status", id="two statuses"),
        pytest.param({"error": "SSLError", "status": 503}, "has no answer: give no status", id="status of no answer"),
        pytest.param(
            {"error": "DisabledException", "status": 99}, "status must be an HTTP status from 400 to 599", id="status"
        ),
        pytest.param(
            {"error": "DisabledException", "status": "400"}, "status must be an HTTP status", id="status text"
        ),
        pytest.param({"error": "DisabledException", "message": 5}, "message must be a string, not 5", id="message"),
        pytest.param({"error": 500, "times": "2"}, "times must be 1 or more, or None, not '2'", id="times text"),
        pytest.param({"error": 500, "times": True}, "times must be 1 or more, or None, not True", id="times true"),
        pytest.param({"error": 500, "after": None}, "after must be 0 or more, not None", id="after none"),
        pytest.param(
            {"error": 500, "rate": "half"}, "rate must be more than 0 and at most 1, not 'half'", id="rate text"
        ),
        pytest.param({"error": 500, "seed": None}, "seed must be a whole number, not None", id="seed"),
        pytest.param(
            {"error": 500, "seed": 1}, "seed says which calls a rate picks: give a rate below 1", id="no rate"
        ),
        pytest.param({"error": 500, "when": "now"}, "when must be a function that takes a CallRecord", id="when"),
        pytest.param({"delay": float("nan")}, "delay must be seconds from 0 on, not nan", id="delay that is none"),
        pytest.param({"delay": float("inf")}, "delay must be seconds from 0 on, not inf", id="endless delay"),
        pytest.param({"delay": 10**400}, "delay must be seconds from 0 on", id="long number"),
        pytest.param({"clock_delay": "1"}, "clock_delay must be seconds from 0 on, not '1'", id="clock_delay"),
        pytest.param({"error": 500, "executed": "no"}, "executed must be True or False, not 'no'", id="carried out"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(kms_mock, arguments, text):
    with pytest.raises(InvalidFault) as refused:
        kms_mock.faults.add("Decrypt", **arguments)
    assert text in str(refused.value)
    assert not len(kms_mock.faults)


def test_a_fault_for_no_operation_of_kms_is_refused(kms_mock):
    with pytest.raises(InvalidCallPattern):
        kms_mock.faults.add("Decode", error=500)


@pytest.mark.parametrize("operation", [5, [], [None], ["Encrypt", 5], {}], ids=repr)
def test_what_is_no_operation_and_not_several_is_refused(kms_mock, operation):
    with pytest.raises(InvalidFault, match=r"give an operation such as 'Decrypt', several in a list, or none for all"):
        kms_mock.faults.add(operation, error=500)
    assert not len(kms_mock.faults)


def test_several_operations_may_be_any_iterable_of_texts(kms_mock):
    kms_mock.faults.add({"Encrypt": 1, "Decrypt": 2}.keys(), error=500)
    assert kms_mock._core.injector.concerns("Decrypt")


@pytest.mark.parametrize("wrong", ["x", None, 0])
def test_what_is_no_fault_cannot_be_removed(kms_mock, wrong):
    kms_mock.faults.add("ListKeys", error=500)
    with pytest.raises(InvalidFault, match=f"faults.remove.*must be what .* returned, not {wrong!r}"):
        kms_mock.faults.remove(wrong)
    assert len(kms_mock.faults) == 1


def test_handles_of_one_fault_are_one(kms_mock):
    first = kms_mock.faults.add("ListKeys", error=500)
    second = kms_mock.faults.add("ListKeys", error=500)
    assert {*kms_mock.faults} == {first, second}
    kms_mock.faults.remove(first)
    assert list(kms_mock.faults) == [second]


def test_a_fault_that_a_call_in_between_used_up_does_not_fire_again(kms_mock, kms_client):
    others = [kms_mock.client(config=Config(retries={"total_max_attempts": 1}))]

    def call_once_more(_):
        if others:
            with pytest.raises(ClientError):
                others.pop().list_keys()
        return True

    fault = kms_mock.faults.add("ListKeys", error="KMSInternalException", times=1, when=call_once_more)
    kms_client.list_keys()
    assert fault.fired == 1


# --- unused faults ----------------------------------------------------------------------------------------------------


def test_unused_faults_fail_a_test_if_the_option_says_so(pytester):
    pytester.makepyfile("""
        import pytest
        from pytest_kmsmock import mock_kms

        def test_unused(kms_mock):
            kms_mock.faults.add("Decrypt", error=500)

        def test_removed(kms_mock):
            with kms_mock.faults.add("Decrypt", error=500):
                pass

        def test_used(kms_mock, kms_client):
            kms_mock.faults.add("ListKeys", error=500, times=1)
            kms_client.list_keys()

        @pytest.mark.kms_mock(unused_faults="off")
        def test_off(kms_mock):
            kms_mock.faults.add("Decrypt", error=500)

        def test_failed_before(kms_mock):
            with pytest.raises(ZeroDivisionError), mock_kms(unused_faults="error") as kms:
                kms.faults.add("Decrypt", error=500)
                1 / 0
    """)
    pytester.makeini("[pytest]\nkms_mock_unused_faults = error\nasyncio_default_fixture_loop_scope = function")
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=2)
    result.stdout.fnmatch_lines(["*UnusedFaults: These faults never fired:", "*- <Fault 500 at Decrypt(), *>"])


def test_unused_faults_warn_at_the_end_of_their_mock():
    with (
        pytest.warns(UnusedFaultsWarning, match="These faults never fired") as warned,
        mock_kms(unused_faults="warn") as kms,
    ):
        kms.faults.add("Decrypt", error=500)
    assert warned[0].filename == __file__


def test_what_becomes_of_unused_faults_is_one_of_three():
    with pytest.raises(InvalidOption, match=r"unused_faults must be 'off', 'warn' or 'error', not 'fail'"):
        mock_kms(unused_faults="fail")
