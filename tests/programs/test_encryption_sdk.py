"""The AWS Encryption SDK: its legacy providers and the keyrings of the material providers library."""

from __future__ import annotations

import sys

import aws_encryption_sdk
import boto3
import botocore.session
import pytest
from aws_encryption_sdk import CommitmentPolicy, DiscoveryAwsKmsMasterKeyProvider, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.exceptions import DecryptKeyError, MasterKeyProviderError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.key_providers.kms import (
    DiscoveryFilter,
    MRKAwareDiscoveryAwsKmsMasterKeyProvider,
    MRKAwareStrictAwsKmsMasterKeyProvider,
)
from cryptography.hazmat.primitives import serialization

from pytest_kmsmock import mock_kms

CONTEXT = {"purpose": "test"}


@pytest.fixture
def sdk():
    return aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )  # fmt: skip


def test_strict_provider(kms_mock, sdk):
    arns = [kms_mock.create_key().arn, kms_mock.create_key(region="eu-west-1").arn]
    provider = StrictAwsKmsMasterKeyProvider(key_ids=arns)
    message, _ = sdk.encrypt(source=b"secret", key_provider=provider, encryption_context=CONTEXT)
    plaintext, header = sdk.decrypt(source=message, key_provider=provider)
    assert plaintext == b"secret"
    assert CONTEXT.items() <= header.encryption_context.items()
    kms_mock.assert_called("GenerateDataKey", KeyId=arns[0])
    kms_mock.assert_called("Encrypt", KeyId=arns[1])


def test_each_of_several_keys_is_enough(kms_mock, sdk):
    keys = [kms_mock.create_key(), kms_mock.create_key()]
    message, _ = sdk.encrypt(
        source=b"secret", key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[key.arn for key in keys])
    )
    kms_mock.client().disable_key(KeyId=keys[0].arn)
    plaintext, _ = sdk.decrypt(source=message, key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[keys[1].arn]))
    assert plaintext == b"secret"
    with pytest.raises(DecryptKeyError):
        sdk.decrypt(source=message, key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[keys[0].arn]))


def test_discovery_provider(kms_mock, sdk):
    message, _ = sdk.encrypt(
        source=b"secret", key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[kms_mock.create_key().arn])
    )
    assert sdk.decrypt(source=message, key_provider=DiscoveryAwsKmsMasterKeyProvider())[0] == b"secret"
    elsewhere = DiscoveryFilter(account_ids=["999988887777"], partition="aws")
    with pytest.raises(MasterKeyProviderError, match="not allowed by this Master Key Provider"):
        sdk.decrypt(source=message, key_provider=DiscoveryAwsKmsMasterKeyProvider(discovery_filter=elsewhere))


def test_multi_region_providers(kms_mock, sdk):
    key = kms_mock.create_key(multi_region=True, replicas=["eu-west-1"])
    message, _ = sdk.encrypt(source=b"secret", key_provider=MRKAwareStrictAwsKmsMasterKeyProvider(key_ids=[key.arn]))
    replica = key.arn.replace("us-east-1", "eu-west-1")
    for provider in (
        MRKAwareStrictAwsKmsMasterKeyProvider(key_ids=[replica]),
        MRKAwareDiscoveryAwsKmsMasterKeyProvider(discovery_region="eu-west-1"),
    ):
        assert sdk.decrypt(source=message, key_provider=provider)[0] == b"secret"
    assert {call.region for call in kms_mock.calls if call.operation == "Decrypt"} == {"eu-west-1"}


def test_a_session_that_is_older_than_the_mock(sdk):
    session = botocore.session.Session()
    with mock_kms() as kms:
        provider = StrictAwsKmsMasterKeyProvider(key_ids=[kms.create_key().arn], botocore_session=session)
        message, _ = sdk.encrypt(source=b"secret", key_provider=provider)
        assert sdk.decrypt(source=message, key_provider=provider)[0] == b"secret"


if sys.version_info >= (3, 11):  # as the library needs
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import (
        CreateAwsKmsDiscoveryKeyringInput,
        CreateAwsKmsEcdhKeyringInput,
        CreateAwsKmsKeyringInput,
        CreateAwsKmsMrkKeyringInput,
        CreateAwsKmsRsaKeyringInput,
        KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey,
        KmsPrivateKeyToStaticPublicKeyInput,
    )

    @pytest.fixture(scope="module")
    def providers():
        return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def round_trip(sdk, encrypting, decrypting=None, **options) -> None:
        message, _ = sdk.encrypt(source=b"secret", keyring=encrypting, encryption_context=CONTEXT, **options)
        plaintext, _ = sdk.decrypt(source=message, keyring=decrypting or encrypting, encryption_context=CONTEXT)
        assert plaintext == b"secret"

    def test_kms_keyring_and_discovery_keyring(kms_mock, sdk, providers):
        client = boto3.client("kms")
        keyring = providers.create_aws_kms_keyring(
            CreateAwsKmsKeyringInput(kms_key_id=kms_mock.create_key().arn, kms_client=client)
        )
        discovery = providers.create_aws_kms_discovery_keyring(CreateAwsKmsDiscoveryKeyringInput(kms_client=client))
        round_trip(sdk, keyring)
        round_trip(sdk, keyring, discovery)

    def test_multi_region_keyring(kms_mock, sdk, providers):
        key = kms_mock.create_key(multi_region=True, replicas=["eu-west-1"])
        here, there = (
            providers.create_aws_kms_mrk_keyring(
                CreateAwsKmsMrkKeyringInput(
                    kms_key_id=key.arn.replace("us-east-1", region),
                    kms_client=boto3.client("kms", region_name=region),
                )
            )
            for region in ("us-east-1", "eu-west-1")
        )
        round_trip(sdk, here, there)

    def test_rsa_keyring(kms_mock, sdk, providers):
        key = kms_mock.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
        public = serialization.load_der_public_key(key.public_key())
        keyring = providers.create_aws_kms_rsa_keyring(
            CreateAwsKmsRsaKeyringInput(
                public_key=public.public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                ),
                kms_key_id=key.arn,
                encryption_algorithm="RSAES_OAEP_SHA_256",
                kms_client=boto3.client("kms"),
            )
        )
        # This keyring takes suites without a signature only.
        round_trip(sdk, keyring, algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY)
        kms_mock.assert_called("Decrypt", EncryptionAlgorithm="RSAES_OAEP_SHA_256")  # it encrypts without KMS

    def test_ecdh_keyring(kms_mock, sdk, providers):
        sender, recipient = (kms_mock.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT") for _ in range(2))

        def keyring(own, other):
            return providers.create_aws_kms_ecdh_keyring(
                CreateAwsKmsEcdhKeyringInput(
                    curve_spec="ECC_NIST_P256",
                    kms_client=boto3.client("kms"),
                    key_agreement_scheme=KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
                        KmsPrivateKeyToStaticPublicKeyInput(
                            sender_kms_identifier=own.arn,
                            sender_public_key=own.public_key(),
                            recipient_public_key=other.public_key(),
                        )
                    ),
                )
            )

        round_trip(sdk, keyring(sender, recipient), keyring(recipient, sender))
