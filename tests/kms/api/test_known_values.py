"""A botocore newer or older than this release: values that only one of them knows are reported."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import botocore
import pytest
from botocore.config import Config

from pytest_kmsmock._kms.api import validation
from pytest_kmsmock._kms.api.known_values import FIRST_BOTOCORE, KNOWN_VALUES
from pytest_kmsmock._kms.api.service_model import service_description

NEWER = "FROM_A_NEWER_BOTOCORE"


def request_enumerations() -> Iterator[tuple[str, list[str]]]:
    """Yield each shape with enumerated values that a request may hold."""
    shapes = service_description()["shapes"]
    seen: set[str] = set()
    waiting = [operation["input"]["shape"] for operation in service_description()["operations"].values()]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = shapes[name]
        waiting += [member["shape"] for member in shape.get("members", {}).values()]
        waiting += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
        if "enum" in shape:
            yield name, shape["enum"]


def test_every_value_of_the_installed_model_is_known():
    unknown = {name: set(values) - KNOWN_VALUES.get(name, frozenset()) for name, values in request_enumerations()}
    assert {name: values for name, values in unknown.items() if values} == {}


@pytest.fixture
def newer_model(monkeypatch) -> Iterator[None]:
    """A service model in which every enumeration has one more value."""
    description = copy.deepcopy(dict(service_description()))
    for shape in description["shapes"].values():
        if "enum" in shape:
            shape["enum"].append(NEWER)
    monkeypatch.setattr(validation, "service_description", lambda: description)
    for compiled in (validation.reader, validation._params_reader):
        compiled.cache_clear()
    yield
    for compiled in (validation.reader, validation._params_reader):
        compiled.cache_clear()


@pytest.fixture
def client(kms_mock, newer_model):
    return kms_mock.client(config=Config(parameter_validation=False))


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        pytest.param("create_key", {"KeySpec": NEWER, "KeyUsage": "SIGN_VERIFY"}, id="key-spec"),
        pytest.param("create_key", {"CustomerMasterKeySpec": NEWER, "KeyUsage": "SIGN_VERIFY"}, id="deprecated-spec"),
        pytest.param("create_key", {"Origin": NEWER}, id="origin"),
        pytest.param("generate_data_key", {"KeyId": "alias/a", "KeySpec": NEWER}, id="data-key-spec"),
        pytest.param("generate_data_key_pair", {"KeyId": "alias/a", "KeyPairSpec": NEWER}, id="pair-spec"),
        pytest.param("sign", {"KeyId": "alias/a", "Message": b"m", "SigningAlgorithm": NEWER}, id="algorithm"),
        pytest.param("list_keys", {"ResourceOwners": [NEWER]}, id="in-a-list"),
        pytest.param(
            "get_parameters_for_import",
            {"KeyId": "alias/a", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": NEWER},
            id="wrapping-key-spec",
        ),
        pytest.param(
            "create_custom_key_store",
            {"CustomKeyStoreName": "store", "CustomKeyStoreType": NEWER},
            id="store-type",
        ),
    ],
)
def test_a_value_of_a_newer_botocore_is_named(client, refusal, operation, members):
    with refusal("ValidationException", re.compile(f".*does not know the value {NEWER}: the installed botocore .*")):
        getattr(client, operation)(**members)


def test_known_and_unknown_values_are_unchanged_with_a_newer_model(client, refusal):
    assert client.create_key(KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["KeySpec"] == "SYMMETRIC_DEFAULT"
    with refusal("ValidationException", re.compile("1 validation error detected: Value 'AES_192' at 'keySpec' .*")):
        client.generate_data_key(KeyId="alias/a", KeySpec="AES_192")


# --- an older botocore ------------------------------------------------------------------------------------------------


@pytest.fixture
def older_client(kms_mock, monkeypatch):
    """A client beside a service model that has no Ed25519, ML-KEM and external stores."""
    description = copy.deepcopy(dict(service_description()))
    for shape in description["shapes"].values():
        if "enum" in shape:
            hidden = ("ECC_NIST_EDWARDS25519", "ML_KEM_768", "EXTERNAL_KEY_STORE", "Encapsulate")
            shape["enum"] = [value for value in shape["enum"] if value not in hidden]
    monkeypatch.setattr(validation, "service_description", lambda: description)
    for compiled in (validation.reader, validation._params_reader):
        compiled.cache_clear()
    yield kms_mock.client(config=Config(parameter_validation=False))
    for compiled in (validation.reader, validation._params_reader):
        compiled.cache_clear()


@pytest.mark.parametrize(
    ("operation", "members", "value", "since"),
    [
        pytest.param("create_key", {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
                     "ML_KEM_768", " to 1.44.0 or newer", id="key spec"),
        pytest.param("generate_data_key_pair", {"KeyId": "alias/a", "KeyPairSpec": "ECC_NIST_EDWARDS25519"},
                     "ECC_NIST_EDWARDS25519", " to 1.40.69 or newer", id="pair spec"),
        pytest.param("create_key", {"Origin": "EXTERNAL_KEY_STORE"}, "EXTERNAL_KEY_STORE", "", id="another value"),
    ],
)  # fmt: skip
def test_a_value_that_an_older_botocore_hides_is_named(older_client, refusal, operation, members, value, since):
    installed = re.escape(botocore.__version__)
    text = f"The installed botocore {installed} does not know the value {value}: .* Update botocore{since}\\."
    with refusal("ValidationException", re.compile(text)):
        getattr(older_client, operation)(**members)
    assert older_client.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


def test_an_older_botocore_does_not_make_a_value_of_another_enumeration_fit(older_client, refusal):
    with refusal("ValidationException", re.compile("1 validation error detected: Value 'SIGN_VERIFY' at 'keySpec' .*")):
        older_client.create_key(KeySpec="SIGN_VERIFY")


def test_the_newest_key_specs_are_known():
    assert set(FIRST_BOTOCORE) <= set(KNOWN_VALUES["KeySpec"])
