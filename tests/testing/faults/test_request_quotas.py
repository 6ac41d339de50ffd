from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._testing.faults.request_quotas import (
    ECC,
    KEY_STORE,
    ML,
    PER_SECOND,
    RSA,
    SYMMETRIC,
)
from pytest_kmsmock.errors import UnknownQuota

# AWS's text: https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def kms():
    with mock_kms(request_quotas=True) as kms:
        kms.clock.freeze()
        yield kms


@pytest.fixture
def client(kms):
    return kms.client(config=ONCE)


def passed(call, tries):
    """Return how many of some calls were not throttled."""
    return sum(not is_throttled(call) for _ in range(tries))


def is_throttled(call):
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ThrottlingException":
            raise
        return True
    return False


def test_too_many_requests_are_throttled_in_awss_words(client, refusal):
    assert passed(client.create_key, 5) == 5  # the guide: CreateKey 5 per second
    with refusal("ThrottlingException", THROTTLED):
        client.create_key()
    assert len(client.list_keys()["Keys"]) == 5


def test_a_second_brings_them_back_little_by_little(kms, client):
    assert passed(client.create_key, 9) == 5
    kms.clock.advance(seconds=0.4)
    assert passed(client.create_key, 9) == 2
    kms.clock.advance(seconds=60)
    assert passed(client.create_key, 9) == 5


def test_a_quota_below_one_lets_one_through_at_a_time(kms, client):
    key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]

    def get_parameters():
        client.get_parameters_for_import(
            KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )

    kms.request_quotas["GetParametersForImport"] = 0.25
    assert passed(get_parameters, 2) == 1
    kms.clock.advance(seconds=3)
    assert passed(get_parameters, 1) == 0
    kms.clock.advance(seconds=1)
    assert passed(get_parameters, 2) == 1


def test_cryptographic_operations_share_a_quota_by_the_type_of_the_key(kms, client):
    symmetric = client.create_key()["KeyMetadata"]["KeyId"]
    mac = client.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    ecc = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.request_quotas[SYMMETRIC] = 4
    kms.request_quotas[ECC] = 1
    blob = client.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    client.generate_mac(KeyId=mac, Message=b"x", MacAlgorithm="HMAC_SHA_256")
    client.generate_random(NumberOfBytes=1)
    assert passed(lambda: client.decrypt(CiphertextBlob=blob), 1) == 0
    assert passed(lambda: client.sign(KeyId=ecc, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"), 2) == 1


def test_data_key_pairs_have_quotas_of_their_own(client):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]

    def pair(spec):
        return lambda: client.generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec)

    assert passed(pair("ECC_NIST_P521"), 101) == 100  # the guide: 100 per second
    assert passed(pair("ECC_NIST_P384"), 1) == 1


@pytest.mark.parametrize(
    ("region", "spec", "expected"),
    [
        ("us-east-1", "RSA_2048", 20),
        ("us-east-1", "RSA_3072", 4),
        ("us-east-1", "RSA_4096", 1),
        ("cn-north-1", "RSA_2048", 1),
        ("cn-northwest-1", "RSA_3072", 0.5),
        ("cn-north-1", "RSA_4096", 0.1),
        ("cn-north-1", "SM2", 25),
    ],
)
def test_the_quotas_of_rsa_key_pairs_are_lower_in_china(kms, region, spec, expected):
    """Developer Guide, "Request quotas", as of 2026."""
    assert kms.request_quotas._throttle.per_second(f"GenerateDataKeyPair ({spec})", region) == expected


def test_accounts_and_regions_have_quotas_of_their_own(kms, client):
    assert passed(client.create_key, 6) == 5
    assert passed(kms.client(region="eu-west-1", config=ONCE).create_key, 6) == 5


def test_a_request_that_is_not_valid_costs_nothing(kms, client, refusal):
    kms.request_quotas["CreateKey"] = 1
    with refusal("ValidationException"):
        client.create_key(KeySpec="AES_512")
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    with refusal("ValidationException"):
        client.generate_data_key_pair(KeyId=key_id, KeyPairSpec="AES_256")


def test_a_replica_costs_two_keys_in_its_region(kms, client):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    there = kms.client(region="eu-west-1", config=ONCE)
    assert passed(there.create_key, 2) == 2
    client.replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")
    assert passed(there.create_key, 3) == 1


def test_moving_the_primary_counts_in_both_regions(kms, client):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    client.replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")
    kms.request_quotas["UpdatePrimaryRegion"] = 1
    kms.clock.unfreeze()
    kms.clock.advance(days=1)
    kms.clock.freeze()
    client.update_primary_region(KeyId=primary, PrimaryRegion="eu-west-1")
    kms.clock.advance(seconds=0.5)
    there = kms.client(region="eu-west-1", config=ONCE)
    assert passed(lambda: there.update_primary_region(KeyId=primary, PrimaryRegion="us-east-1"), 1) == 0


def test_botocores_retries_wait_on_the_mocks_clock():
    """Pauses are skipped and move the clock on, so that what is throttled succeeds in the end."""
    with mock_kms(request_quotas=True) as kms:
        client = kms.client(config=Config(retries={"mode": "standard", "max_attempts": 10}))
        kms.request_quotas["CreateKey"] = 2
        for _ in range(6):
            client.create_key()
        assert kms.calls.with_error("ThrottlingException")
        assert kms.faults.backoffs


def test_quotas_are_off_unless_asked_for(kms_mock, kms_client):
    assert not kms_mock.request_quotas.active
    assert kms_mock._service.interceptor is None
    for _ in range(7):
        kms_client.create_key()


def test_setting_a_quota_turns_them_on_and_they_can_be_turned_off(kms_mock, refusal):
    client = kms_mock.client(config=ONCE)
    kms_mock.clock.freeze()
    kms_mock.request_quotas["ListKeys request rate"] = 1
    assert kms_mock.request_quotas["ListKeys"] == 1
    client.list_keys()
    with refusal("ThrottlingException"):
        client.list_keys()
    kms_mock.request_quotas.active = False
    client.list_keys()
    assert not kms_mock._core.goes_by_wire("ListKeys")


def test_a_quota_applies_on_top_of_faults(kms_mock, refusal):
    client = kms_mock.client(config=ONCE)
    kms_mock.clock.freeze()
    kms_mock.request_quotas["ListKeys"] = 1
    kms_mock.faults.add("ListKeys", error="AccessDeniedException", times=1)
    with refusal("AccessDeniedException"):
        client.list_keys()
    client.list_keys()
    with refusal("ThrottlingException"):
        client.list_keys()


@pytest.mark.parametrize(
    ("region", "expected"), [("us-east-1", 100_000), ("eu-central-1", 20_000), ("sa-east-1", 10_000)]
)
def test_the_symmetric_quota_is_the_regions(kms, region, expected):
    assert kms.request_quotas._throttle.per_second(SYMMETRIC, region) == expected
    assert kms.request_quotas[SYMMETRIC] == 10_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("CreateKeys", "Did you mean 'CreateKey'?", id="misspelt"),
        pytest.param("Decrypt", "Cryptographic operations share one by the type of their key", id="shared"),
        pytest.param("zzz", "Unknown request quota 'zzz'. Cryptographic", id="unknown"),
    ],
)
def test_a_name_that_is_no_quota_is_refused(kms, name, text):
    with pytest.raises(UnknownQuota) as refused:
        kms.request_quotas[name] = 1
    assert text in str(refused.value)


def test_a_quota_of_nothing_is_refused(kms):
    with pytest.raises(UnknownQuota, match="more than 0"):
        kms.request_quotas["CreateKey"] = 0


def test_every_operation_has_a_quota():
    load()
    cryptographic = {name for name, operation in OPERATIONS.items() if operation.cryptographic}
    pairs = {"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"}
    operations = set(service_description()["operations"])
    assert operations - set(PER_SECOND) == (cryptographic - {"GetPublicKey"}) | pairs | {"GenerateRandom"}


def test_every_data_key_pair_spec_has_a_quota():
    specs = service_description()["shapes"]["DataKeyPairSpec"]["enum"]
    named = {name for name in PER_SECOND if name.startswith("GenerateDataKeyPair (")}
    assert named == {f"GenerateDataKeyPair ({spec})" for spec in specs}


def test_every_key_spec_belongs_to_a_family(kms):
    """RSA, elliptic curves with SM2, ML: what is none of them is symmetric."""
    families = {spec: spec.split("_")[0] for spec in KEY_SPECS}
    assert set(families.values()) == {"SYMMETRIC", "HMAC", "RSA", "ECC", "SM2", "ML"}
    assert {RSA, ECC, ML, KEY_STORE, SYMMETRIC} <= set(kms.request_quotas)


def test_a_custom_key_store_has_a_quota_of_its_own_and_data_keys_cost_three_times_as_much(kms, client):
    store = kms.key_stores.add_store()
    key_id = client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    kms.request_quotas[KEY_STORE] = 4
    assert passed(lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_256"), 2) == 1
    assert passed(lambda: client.encrypt(KeyId=key_id, Plaintext=b"x"), 2) == 1
    client.generate_random(NumberOfBytes=1)


@pytest.mark.parametrize(
    "per_second", ["a", None, True, 0, -1, float("nan"), float("inf"), 10**400], ids=lambda value: str(value)[:9]
)
def test_a_quota_is_a_number_of_requests(kms, per_second):
    expected = r"^A request quota must be a number of requests per second, more than 0 and at most 1e\+12, not "
    with pytest.raises(UnknownQuota, match=expected):
        kms.request_quotas["CreateKey"] = per_second
    assert kms.request_quotas["CreateKey"] == 5


@pytest.mark.parametrize("name", [5, None, ["CreateKey"]], ids=repr)
def test_a_quota_has_a_name(kms, name):
    with pytest.raises(UnknownQuota, match="Unknown request quota"):
        kms.request_quotas[name]


@pytest.mark.parametrize(
    ("name", "quota"),
    [("Cryptographic operations (ECC and SM2) request rate", ECC), ("Cryptographic operations (ML-DSA)", ML)],
)
def test_quotas_by_their_names_in_service_quotas(kms, name, quota):
    """Developer Guide, "Request quotas", as of 2026."""
    kms.request_quotas[name] = 7
    assert kms.request_quotas[quota] == kms.request_quotas[name] == 7


def test_quotas_are_on_or_off(kms):
    with pytest.raises(UnknownQuota, match=r"^request_quotas\.active must be True or False, not 'no'\.$"):
        kms.request_quotas.active = "no"
