"""What things cost, by counts that no machine changes: modules that are imported, functions that are called.

A ceiling is near what is needed today. Who has a good reason to need more raises it here; seconds are `make bench`'s.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_kmsmock
from pytest_kmsmock import KmsMock, _testing, mock_kms
from pytest_kmsmock._transport.hooks import retry_backoff

ROOT = str(Path(pytest_kmsmock.__file__).parent)
REGION = "us-east-1"


# --- modules ------------------------------------------------------------------------------------------------------

#: What no run that does without KMS may import.
HEAVY = ("botocore", "boto3", "cryptography", "requests", "responses", "urllib3", "yaml", "cbor2", "asn1crypto", "moto")


def modules_after(code: str, *arguments: str) -> list[str]:
    """Return the modules that a new interpreter has after some code, and had not before."""
    program = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(run.stdout.splitlines()[-1])


def own(modules: list[str]) -> set[str]:
    return {name.removeprefix("pytest_kmsmock.") for name in modules if name.startswith("pytest_kmsmock")}


def test_importing_the_package_costs_next_to_nothing():
    modules = modules_after("from pytest_kmsmock import mock_kms")
    assert own(modules) == {
        "pytest_kmsmock", "_mock", "_mock.decorator", "_runtime", "_runtime.active_mocks", "_runtime.environment",
        "errors",
    }  # fmt: skip
    # What takes longest of the standard library, and what brings it.
    assert not {"inspect", "dataclasses", "pathlib", "difflib", "asyncio", "unittest", "urllib.parse"} & set(modules)
    assert not [name for name in modules if name.startswith(HEAVY)]


def test_a_run_that_never_uses_kms_imports_the_plugin_only(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass")
    arguments = ["-q", "-p", "pytest_kmsmock.plugin", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    modules = modules_after(
        f"import os; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'\nimport pytest; pytest.main({arguments!r})"
    )
    assert own(modules) == {
        "pytest_kmsmock", "_mock", "_mock.decorator", "_record", "_report", "_report.hooks", "_report.registry",
        "_runtime", "_runtime.active_mocks", "_runtime.checks", "_runtime.environment", "_runtime.network_guard",
        "_runtime.options", "errors", "plugin",
    }  # fmt: skip
    assert not [name for name in modules if name.startswith(HEAVY)]


def test_a_symmetric_key_pays_for_no_other_kind():
    modules = modules_after(
        "from pytest_kmsmock import mock_kms\n"
        "with mock_kms() as kms:\n"
        "    client = kms.client()\n"
        "    key_id = client.create_key()['KeyMetadata']['KeyId']\n"
        "    client.decrypt(CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b'x')['CiphertextBlob'])"
    )
    families = {name.rpartition(".")[2] for name in own(modules) if name.startswith("_kms.crypto.")}
    assert families == {"aes", "base", "der", "primitives"}
    services = {name for name in own(modules) if name.startswith(("_services", "_moto"))}
    assert services == {"_services", "_services.hook"}  # until one of them is used
    operations = {name for name in own(modules) if name.startswith("_kms.operations.") and name.count(".") == 3}
    assert operations == {"_kms.operations.cryptography.encryption", "_kms.operations.management.keys"}
    assert own(modules) & {f"_testing.{folder}.{name}" for name, folder in _testing.FACETS.items()} == set()
    assert (
        own(modules) & {"_kms.policy.conditions", "_kms.permissions.condition_keys", "_testing.faults.faults"} == set()
    )
    assert len(own(modules)) <= 128
    unused = ("yaml", "cbor2", "asn1crypto", "cryptography.x509", "cryptography.hazmat.primitives.serialization")
    assert not [name for name in modules if name.startswith(unused)]


# --- function calls -----------------------------------------------------------------------------------------------


def own_calls(work: Callable[[], object]) -> int:
    """Return how many functions this package calls, when what is remembered from the first time is there.

    Dates and signatures are remembered for a second: of several times, the one counts in which no second began.
    """
    work()
    return min(_counted(work) for _ in range(4))


def _counted(work: Callable[[], object]) -> int:
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(ROOT):
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(autouse=True)
def _no_attempt_has_failed(monkeypatch):
    """Once one has, in any test of the process, attempts of all services are looked at."""
    monkeypatch.setattr(retry_backoff, "_had_failures", False)


@pytest.fixture
def calls(kms_client) -> dict[str, Callable[[], object]]:
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    signing = kms_client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    context = {"purpose": "counting"}
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    return {
        "Encrypt": lambda: kms_client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context),
        "Decrypt": lambda: kms_client.decrypt(CiphertextBlob=blob, EncryptionContext=context),
        "GenerateDataKey": lambda: kms_client.generate_data_key(KeyId=key_id, KeySpec="AES_256"),
        "DescribeKey": lambda: kms_client.describe_key(KeyId=key_id),
        "CreateKey": kms_client.create_key,
        "Sign": lambda: kms_client.sign(KeyId=signing, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    }


@pytest.mark.parametrize(
    ("operation", "most", "most_by_wire"),
    [
        ("Encrypt", 130, 160),
        ("Decrypt", 140, 165),
        ("GenerateDataKey", 137, 167),
        ("DescribeKey", 123, 128),
        ("CreateKey", 144, 148),
        ("Sign", 117, 147),
    ],
)
@pytest.mark.parametrize("wire", [pytest.param(False, id="default"), pytest.param(True, id="by wire")])
def test_a_call_takes_few_functions(calls, wire, operation, most, most_by_wire):
    if wire:
        with mock_kms(wire=True):
            count = own_calls(calls[operation])
    else:
        count = own_calls(calls[operation])
    assert count <= (most_by_wire if wire else most)


@pytest.mark.parametrize("wire", [pytest.param(False, id="default"), pytest.param(True, id="by wire")])
@pytest.mark.parametrize("caller", [pytest.param(None, id="default caller"), "root"])
def test_a_call_costs_the_same_with_moto_imported(monkeypatch, caller, wire):
    import moto.iam.models  # noqa: F401 - nobody looks there for whom the mock knows

    with mock_kms(wire=wire) as kms:
        client = kms.client(principal=caller)
        with_moto = own_calls(client.list_keys)
        monkeypatch.delitem(sys.modules, "moto.iam.models")
        assert own_calls(client.list_keys) == with_moto


@pytest.mark.parametrize(
    ("encryption", "most"), [pytest.param({}, 98, id="without a key"), pytest.param({"key": True}, 381, id="SSE-KMS")]
)
def test_s3_beside_moto_takes_few_functions(kms_mock, encryption, most):
    import boto3
    from moto import mock_aws

    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="documents")
        if encryption:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_mock.create_key().arn}

        def put_and_get():
            s3.put_object(Bucket="documents", Key="k", Body=b"x", **encryption)
            s3.get_object(Bucket="documents", Key="k")

        assert own_calls(put_and_get) <= most


# --- nothing grows ------------------------------------------------------------------------------------------------


def add_keys(kms: KmsMock, count: int) -> str:
    """Make keys that each have an alias and were used, without clients; return the id of the last."""
    key_id = ""
    for number in range(count):
        key_id = called(kms, "CreateKey")["KeyMetadata"]["KeyId"]
        called(kms, "CreateAlias", AliasName=f"alias/{number:05}", TargetKeyId=key_id)
        called(kms, "Encrypt", KeyId=key_id, Plaintext=b"x")
    return key_id


def called(kms: KmsMock, operation: str, **members: object):
    return kms._service.call(operation, members, kms._caller(), REGION)


def test_a_call_costs_the_same_among_many_keys():
    def costs(keys: int) -> dict[str, int]:
        with mock_kms() as kms:
            key_id = add_keys(kms, keys)
            work = {
                "by id": lambda: called(kms, "DescribeKey", KeyId=key_id),
                "by alias": lambda: called(kms, "DescribeKey", KeyId="alias/00050"),
                "a page of keys": lambda: called(kms, "ListKeys"),
                "a page of aliases": lambda: called(kms, "ListAliases"),
                "Encrypt": lambda: called(kms, "Encrypt", KeyId=key_id, Plaintext=b"x"),
                "CreateKey": lambda: called(kms, "CreateKey"),
            }
            return {name: own_calls(call) for name, call in work.items()}

    assert costs(150) == costs(600)


def test_a_scope_costs_the_same_around_many_keys():
    def enter_and_leave() -> None:
        with mock_kms():
            pass

    def cost(keys: int) -> int:
        with mock_kms(fresh=True) as kms:
            add_keys(kms, keys)
            return own_calls(enter_and_leave)

    few = cost(1)
    assert few <= 150
    assert cost(300) == few


def test_a_short_test_takes_few_functions(kms_client):
    def test() -> None:
        with mock_kms(fresh=True):
            key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
            blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            kms_client.decrypt(CiphertextBlob=blob)

    assert own_calls(test) <= 582  # policies are the same in each test, and evaluated once


def test_the_fixture_takes_no_other_fixture(pytester, few_plugins):
    pytester.makeconftest(
        """
        def pytest_fixture_setup(fixturedef):
            if fixturedef.argname == "kms_mock":
                print("takes", *fixturedef.argnames, end=".")
        """
    )
    pytester.makepyfile("def test_it(kms_mock): pass")
    pytester.runpytest_inprocess("-s", "-p", "no:randomly").stdout.fnmatch_lines("*takes.*")


def test_a_decision_costs_the_same_with_many_grants_of_others():
    def cost(grants: int) -> int:
        with mock_kms() as kms:
            key_id = called(kms, "CreateKey")["KeyMetadata"]["KeyId"]
            blob = called(kms, "Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            for number in range(grants):
                grantee = f"arn:aws:iam::{kms.account}:user/{number}"
                called(kms, "CreateGrant", KeyId=key_id, GranteePrincipal=grantee, Operations=["Decrypt"])
            caller = kms._caller("user/0")
            return own_calls(lambda: kms._service.call("Decrypt", {"CiphertextBlob": blob}, caller, REGION))

    assert cost(300) == cost(1)


def test_a_decision_costs_the_same_with_many_statements_about_others():
    def cost(statements: int) -> int:
        others = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::111122223333:user/{number}"},
                "Action": "kms:Decrypt",
                "Resource": "*",
            }
            for number in range(statements)
        ]
        root = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [*others, root]}, separators=(",", ":"))
        with mock_kms() as kms:
            key_id = called(kms, "CreateKey", Policy=policy)["KeyMetadata"]["KeyId"]
            return own_calls(lambda: called(kms, "DescribeKey", KeyId=key_id))

    assert cost(200) == cost(1)


def test_a_key_takes_little_memory():
    keys = 500
    with mock_kms() as kms:
        add_keys(kms, 2)
        gc.collect()
        tracemalloc.start()
        for _ in range(keys):
            called(kms, "CreateKey")
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size / keys < 4096  # bytes, the record of its CreateKey call with it


@pytest.mark.parametrize(
    ("refused", "most"),
    [pytest.param(False, 4000 + 4162, id="plaintext and ciphertext"), pytest.param(True, 4000, id="refused")],
)
@pytest.mark.parametrize("wire", [pytest.param(False, id="default"), pytest.param(True, id="by wire")])
def test_a_record_of_a_call_keeps_what_was_sent_once(wire, refused, most):
    with mock_kms(wire=wire) as kms:
        client, key = kms.client(), "alias/none" if refused else kms.create_key().id

        def call() -> None:
            try:
                client.encrypt(KeyId=key, Plaintext=os.urandom(4000))
            except client.exceptions.NotFoundException:
                assert refused

        call()
        gc.collect()
        tracemalloc.start()
        for _ in range(50):
            call()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size / 50 < most + 2500  # bytes
