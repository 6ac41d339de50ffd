from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

import pytest

import pytest_kmsmock
from pytest_kmsmock import KmsMock, key_policy
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock.errors import InvalidArgument, InvalidCallPattern, InvalidSimulation

MISSPELT: dict[str, Any] = {"admins": "role/app"}
#: The classes whose methods tests call.
CHECKED = ("Calls", "Clock", "FakeEnclave", "Faults", "IamConsole", "KeyStores", "KeyView", "KmsMock")


def message_of(call, error: type[Exception] = InvalidArgument) -> str:
    with pytest.raises(error) as refused:
        call()
    return str(refused.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda kms: kms.client("eu-west-1"),
            "client(): unexpected positional argument 'eu-west-1'. Pass it by name: client(region='eu-west-1').",
            id="Region",
        ),
        pytest.param(
            lambda kms: kms.client("kms"),
            "client(): unexpected positional argument 'kms'. Choose a name from: region, principal.",
            id="what could be any",
        ),
        pytest.param(
            lambda kms: kms.async_client("role/app"),
            "async_client(): unexpected positional argument 'role/app'. "
            "Pass it by name: async_client(principal='role/app').",
            id="principal",
        ),
        pytest.param(
            lambda kms: kms.create_key("alias/orders"),
            "create_key(): unexpected positional argument 'alias/orders'. "
            "Pass it by name: create_key(alias='alias/orders').",
            id="alias",
        ),
        pytest.param(
            lambda kms: kms.cloudtrail_events("111122223333"),
            "cloudtrail_events(): unexpected positional argument '111122223333'. "
            "Pass it by name: cloudtrail_events(account='111122223333').",
            id="account",
        ),
        pytest.param(
            lambda kms: kms.serve(8000),
            "serve(): unexpected positional argument 8000. Pass it by name: serve(port=8000).",
            id="port",
        ),
        pytest.param(
            lambda kms: kms.faults.add("Decrypt", "ThrottlingException"),
            "faults.add(): unexpected positional argument 'ThrottlingException'. "
            "Pass it by name: faults.add(error='ThrottlingException').",
            id="error",
        ),
        pytest.param(
            lambda _: key_policy("111122223333", "aws", "role/app"),
            "key_policy(): unexpected positional argument 'role/app'. Choose a name from: administrators, users, "
            "other_accounts, allow_deletion, key_usage, key_spec, origin, multi_region.",
            id="after positional arguments",
        ),
        pytest.param(
            lambda kms: kms.seed("keys.yaml", "more.yaml"),
            "seed(): unexpected positional argument 'more.yaml'. It takes path.",
            id="no arguments by name",
        ),
    ],
)
def test_an_argument_without_its_name_is_told_with_the_name(kms_mock: KmsMock, call, message):
    assert message_of(lambda: call(kms_mock)) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda _: key_policy(**MISSPELT),
            "key_policy(): unknown argument 'admins'. Did you mean 'administrators'?",
            id="key_policy",
        ),
        pytest.param(
            lambda kms: kms.create_key_as_in_console(alias="alias/a", administators="role/app"),
            "create_key_as_in_console(): unknown argument 'administators'. Did you mean 'administrators'?",
            id="method of a base class",
        ),
        pytest.param(
            lambda kms: kms.client(regoin="eu-west-1"),
            "client(): unknown argument 'regoin'. Did you mean 'region'?",
            id="client",
        ),
        pytest.param(
            lambda kms: kms.client(endpoint="http://localhost"),
            "client(): unknown argument 'endpoint'. Did you mean 'endpoint_url'?",
            id="argument of create_client",
        ),
        pytest.param(
            lambda kms: kms.async_client(principle="role/app"),
            "async_client(): unknown argument 'principle'. Did you mean 'principal'?",
            id="async_client",
        ),
        pytest.param(
            lambda kms: kms.create_key(key_spec="RSA_2048"),
            "create_key(): unknown argument 'key_spec'. Did you mean 'spec'?",
            id="prefix",
        ),
        pytest.param(
            lambda kms: kms.client(timeout=3),
            "client(): unknown argument 'timeout'. Choose from: region, principal, region_name, api_version, use_ssl, "
            "verify, endpoint_url, aws_access_key_id, aws_secret_access_key, aws_session_token, config, "
            "aws_account_id.",
            id="argument of Config",
        ),
        pytest.param(
            lambda kms: kms.credentials("role/app", sesion_name="x"),
            "credentials(): unknown argument 'sesion_name'. Did you mean 'session_name'?",
            id="request context",
        ),
        pytest.param(
            lambda kms: kms.iam.service_control({}, account_id="111122223333"),
            "iam.service_control(): unknown argument 'account_id'. Did you mean 'account'?",
            id="any number of positional arguments",
        ),
        pytest.param(
            lambda kms: kms.key_stores.add_cluster(colour="blue"),
            "key_stores.add_cluster(): unknown argument 'colour'. "
            "Choose from: cluster_id, hsms, password, certificate.",
            id="unlike any",
        ),
        pytest.param(
            lambda kms: kms.clock.freeze(whn="2030-01-01"),
            "clock.freeze(): unknown argument 'whn'. Did you mean 'when'?",
            id="clock",
        ),
        pytest.param(
            lambda kms: kms.least_privilege(portabel=True),
            "least_privilege(): unknown argument 'portabel'. Did you mean 'portable'?",
            id="flag",
        ),
    ],
)
def test_an_unknown_argument_is_told_with_the_one_that_was_meant(kms_mock: KmsMock, call, message):
    assert message_of(lambda: call(kms_mock)) == message


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(
            lambda kms: kms.faults.add("Decrypt", error="ThrottlingException", count=2),
            InvalidCallPattern,
            "Unknown parameter 'count' of KMS Decrypt. Did you mean 'times'?",
            id="count of a fault",
        ),
        pytest.param(
            lambda kms: kms.faults.add("Decrypt", exception="ThrottlingException"),
            InvalidCallPattern,
            "Unknown parameter 'exception' of KMS Decrypt. Did you mean 'error'?",
            id="error of a fault",
        ),
        pytest.param(
            lambda kms: kms.faults.add("Decrypt", raises="ThrottlingException"),
            InvalidCallPattern,
            "Unknown parameter 'raises' of KMS Decrypt. Did you mean 'error'?",
            id="raises of a fault",
        ),
        pytest.param(
            lambda kms: kms.assert_called("Decrypt", time=2),
            InvalidCallPattern,
            "Unknown parameter 'time' of KMS Decrypt. Did you mean 'times'?",
            id="assert_called",
        ),
        pytest.param(
            lambda kms: kms.simulate("role/app", "kms:Decrypt", "alias/a", contxt={}),
            InvalidSimulation,
            "Unknown parameter 'contxt' of Decrypt. Did you mean 'context'?",
            id="simulate",
        ),
    ],
)
def test_among_parameters_of_the_call_an_argument_may_have_been_meant(kms_mock: KmsMock, call, error, message):
    assert message_of(lambda: call(kms_mock), error) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda kms: kms.simulate("role/app"),
            "simulate() missing 1 required positional argument: 'action'",
            id="method of a base class",
        ),
        pytest.param(
            lambda kms: kms.iam.attach(),
            "iam.attach() missing 1 required positional argument: 'principal'",
            id="iam",
        ),
        pytest.param(
            lambda kms: kms.create_key_as_in_console(),
            "create_key_as_in_console() missing 1 required keyword-only argument: 'alias'",
            id="keyword",
        ),
    ],
)
def test_a_missing_argument_is_one_of_the_method_that_was_called(kms_mock: KmsMock, call, message):
    assert message_of(lambda: call(kms_mock), TypeError) == message


def test_region_name_of_boto3_is_the_region(kms_mock: KmsMock):
    client = kms_mock.client(region_name="cn-north-1", principal="root")
    assert client.meta.region_name == "cn-north-1"
    client.list_keys()
    assert kms_mock.calls[0].caller.arn == "arn:aws-cn:iam::123456789012:root"


@pytest.mark.parametrize("name", CHECKED)
def test_every_public_method_that_takes_arguments_explains_them(name: str):
    kind = getattr(pytest_kmsmock, name)
    for method_name, method in inspect.getmembers(kind, inspect.isfunction):
        code = inspect.unwrap(method).__code__
        if not method_name.startswith("_") and code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] != (
            "self",
        ):
            assert method.__code__.co_filename.endswith("arguments.py"), method_name
            assert method.__doc__
            assert next(iter(inspect.signature(method).parameters)) == "self"


def test_what_is_no_public_method_is_left_as_it_is():
    class Sample:
        limit = 3

        def _private(self, *, a: int = 0) -> int:
            return a

        def without_arguments(self) -> int:
            return self.limit

    before = dict(vars(Sample))
    assert vars(check_arguments()(Sample)) == before
    assert isinstance(Sample._private, FunctionType)
