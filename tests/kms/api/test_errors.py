"""Every error in the service model of KMS: a call that raises it, or the reason why no call does.

A table by error; what exactly each operation answers when is tested with the operations.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.kms.conftest import request_of_import

from pytest_kmsmock._kms.api.service_model import modelled_errors, service_description
from pytest_kmsmock._mock.kms_mock import KmsMock

FIDELITY = Path(__file__).parents[3] / "docs" / "fidelity"
SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
MAC: dict[str, Any] = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
SIGNING: dict[str, Any] = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}

#: Errors that no call gets by itself -> why. A test gets them by `kms.faults.add(error=...)`.
BY_FAULTS_ONLY = {
    "DependencyTimeoutException": "nothing that KMS depends on ever times out in the process",
    "InvalidAliasNameException": "AWS documents no case; all bad names seen on AWS were ValidationExceptions",
    "InvalidGrantIdException": "AWS documents no case; ids that do not exist are NotFoundExceptions",
    "KMSInternalException": "the fake KMS has no internal errors that it would tell AWS's callers",
    "KeyUnavailableException": "keys are always available but for the states that have exceptions of their own",
}


def new_key(kms: KmsMock, **members: Any) -> str:
    arn: str = kms.client().create_key(**members)["KeyMetadata"]["Arn"]
    return arn


def wrapped(kms: KmsMock) -> dict[str, Any]:
    """Return what ImportKeyMaterial needs for a new key."""
    return request_of_import(kms.client(), new_key(kms, Origin="EXTERNAL"), bytes(32))


def new_store(kms: KmsMock, backing: Any, **changes: Any) -> None:
    kms.client().create_custom_key_store(**({"CustomKeyStoreName": "new"} | backing.parameters | changes))


def external_store(kms: KmsMock, *keys: str) -> tuple[Any, dict[str, Any]]:
    """Return a proxy and the members of CreateKey for its key `one`."""
    proxy = kms.key_stores.add_xks_proxy(keys=keys)
    store = kms.key_stores.add_store(proxy)
    return proxy, {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "one"}


# --- one function an error whose preparation takes more than an expression ---


def already_exists(kms: KmsMock) -> None:
    for _ in range(2):
        kms.client().create_alias(AliasName="alias/a", TargetKeyId=new_key(kms))


def rotation_is_near(kms: KmsMock) -> None:
    key = new_key(kms)
    kms.client().enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    kms.clock.advance(timedelta(days=90) - timedelta(minutes=19))
    kms.client().rotate_key_on_demand(KeyId=key)


def store_has_keys(kms: KmsMock) -> None:
    store = kms.key_stores.add_store()
    new_key(kms, Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)
    kms.client().delete_custom_key_store(CustomKeyStoreId=store)


def cluster_is_not_related(kms: KmsMock) -> None:
    store, other = kms.key_stores.add_store(connected=False), kms.key_stores.add_cluster()
    kms.client().update_custom_key_store(CustomKeyStoreId=store, CloudHsmClusterId=other.id)


def disabled(kms: KmsMock) -> None:
    key = new_key(kms)
    kms.client().disable_key(KeyId=key)
    kms.client().encrypt(KeyId=key, Plaintext=b"x")


def token_is_old(kms: KmsMock) -> None:
    request = wrapped(kms)
    kms.clock.advance(hours=24, seconds=1)
    kms.client().import_key_material(**request)


def token_is_of_another_key(kms: KmsMock) -> None:
    request = wrapped(kms)
    kms.client().import_key_material(**request | {"KeyId": new_key(kms, Origin="EXTERNAL")})


def key_is_another(kms: KmsMock) -> None:
    blob = kms.client().encrypt(KeyId=new_key(kms), Plaintext=b"x")["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob, KeyId=new_key(kms))


def context_is_another(kms: KmsMock) -> None:
    blob = kms.client().encrypt(KeyId=new_key(kms), Plaintext=b"x")["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})


def pending_deletion(kms: KmsMock) -> None:
    key = new_key(kms)
    kms.client().schedule_key_deletion(KeyId=key)
    kms.client().encrypt(KeyId=key, Plaintext=b"x")


def mac_is_wrong(kms: KmsMock) -> None:
    kms.client().verify_mac(KeyId=new_key(kms, **MAC), MacAlgorithm="HMAC_SHA_256", Message=b"x", Mac=bytes(32))


def signature_is_wrong(kms: KmsMock) -> None:
    client, key = kms.client(), new_key(kms, **SIGNING)
    signature = client.sign(KeyId=key, SigningAlgorithm="ECDSA_SHA_256", Message=b"x")["Signature"]
    client.verify(KeyId=key, SigningAlgorithm="ECDSA_SHA_256", Message=b"y", Signature=signature)


def rotated_too_often(kms: KmsMock) -> None:
    key = new_key(kms)
    for _ in range(26):
        kms.client().rotate_key_on_demand(KeyId=key)
        kms.clock.advance(minutes=5)


def tag_twice(kms: KmsMock) -> None:
    new_key(kms, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])


def external_key_in_use(kms: KmsMock) -> None:
    _, members = external_store(kms, "one")
    for _ in range(2):
        new_key(kms, **members)


def external_key_is_disabled(kms: KmsMock) -> None:
    proxy, members = external_store(kms, "one")
    kms.key_stores.disable_xks_key(proxy, "one")
    new_key(kms, **members)


def endpoint_is_in_use(kms: KmsMock) -> None:
    kms.key_stores.add_store(kms.key_stores.add_xks_proxy("https://a.example.com"))
    inside = kms.key_stores.add_xks_proxy("https://a.example.com", "/b/kms/xks/v1", vpc_endpoint_service=SERVICE)
    new_store(kms, inside)


def service_is_in_use(kms: KmsMock) -> None:
    kms.key_stores.add_store(kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE))
    new_store(kms, kms.key_stores.add_xks_proxy(vpc_endpoint_service=SERVICE))


def cluster(kms: KmsMock, **members: Any) -> Any:
    return kms.key_stores.add_cluster(**members)


def proxy(kms: KmsMock, **members: Any) -> Any:
    return kms.key_stores.add_xks_proxy(**members)


def offline(kms: KmsMock, backing: Any) -> Any:
    return kms.key_stores.take_offline(backing)


def used(kms: KmsMock, backing: Any) -> Any:
    kms.key_stores.add_store(backing, name="old")
    return backing


#: Error -> what gets it, last of all.
CALLS: dict[str, Callable[[KmsMock], Any]] = {
    "AlreadyExistsException": already_exists,
    "CloudHsmClusterInUseException": lambda kms: new_store(kms, used(kms, cluster(kms))),
    "CloudHsmClusterInvalidConfigurationException": lambda kms: new_store(kms, cluster(kms, hsms=1)),
    "CloudHsmClusterNotActiveException": lambda kms: new_store(kms, offline(kms, cluster(kms))),
    "CloudHsmClusterNotFoundException": lambda kms: new_store(
        kms, cluster(kms), CloudHsmClusterId="cluster-22222222222"
    ),
    "CloudHsmClusterNotRelatedException": cluster_is_not_related,
    "ConflictException": rotation_is_near,
    "CustomKeyStoreHasCMKsException": store_has_keys,
    "CustomKeyStoreInvalidStateException": lambda kms: kms.client().delete_custom_key_store(
        CustomKeyStoreId=kms.key_stores.add_store()
    ),
    "CustomKeyStoreNameInUseException": lambda kms: new_store(
        kms, (used(kms, cluster(kms)), cluster(kms))[1], CustomKeyStoreName="old"
    ),
    "CustomKeyStoreNotFoundException": lambda kms: kms.client().connect_custom_key_store(CustomKeyStoreId="cks-0"),
    "DisabledException": disabled,
    "DryRunOperationException": lambda kms: kms.client().encrypt(KeyId=new_key(kms), Plaintext=b"x", DryRun=True),
    "ExpiredImportTokenException": token_is_old,
    "IncorrectKeyException": key_is_another,
    "IncorrectKeyMaterialException": lambda kms: kms.client().import_key_material(
        **wrapped(kms), ImportType="EXISTING_KEY_MATERIAL"
    ),
    "IncorrectTrustAnchorException": lambda kms: new_store(kms, cluster(kms), TrustAnchorCertificate="another"),
    "InvalidArnException": lambda kms: kms.client().describe_key(KeyId="arn:aws:kms:nowhere"),
    "InvalidCiphertextException": context_is_another,
    "InvalidGrantTokenException": lambda kms: kms.client().encrypt(
        KeyId=new_key(kms), Plaintext=b"x", GrantTokens=["none"]
    ),
    "InvalidImportTokenException": token_is_of_another_key,
    "InvalidKeyUsageException": lambda kms: kms.client().encrypt(KeyId=new_key(kms, **SIGNING), Plaintext=b"x"),
    "InvalidMarkerException": lambda kms: kms.client().list_keys(Marker="none"),
    "KMSInvalidMacException": mac_is_wrong,
    "KMSInvalidSignatureException": signature_is_wrong,
    "KMSInvalidStateException": pending_deletion,
    "LimitExceededException": rotated_too_often,
    "MalformedPolicyDocumentException": lambda kms: new_key(kms, Policy=json.dumps({"Version": "2012-10-17"})),
    "NotFoundException": lambda kms: kms.client().describe_key(KeyId="alias/none"),
    "TagException": tag_twice,
    "UnsupportedOperationException": lambda kms: kms.client().get_public_key(KeyId=new_key(kms)),
    "XksKeyAlreadyInUseException": external_key_in_use,
    "XksKeyInvalidConfigurationException": external_key_is_disabled,
    "XksKeyNotFoundException": lambda kms: new_key(kms, **external_store(kms)[1]),
    "XksProxyIncorrectAuthenticationCredentialException": lambda kms: new_store(
        kms, proxy(kms), XksProxyAuthenticationCredential={"AccessKeyId": "A" * 20, "RawSecretAccessKey": "A" * 43}
    ),
    "XksProxyInvalidConfigurationException": lambda kms: new_store(kms, proxy(kms), XksProxyUriPath="/a/kms/xks/v1"),
    "XksProxyInvalidResponseException": lambda kms: new_store(
        kms, kms.key_stores.change(proxy(kms), failure="XKS_PROXY_INVALID_RESPONSE")
    ),
    "XksProxyUriEndpointInUseException": endpoint_is_in_use,
    "XksProxyUriInUseException": lambda kms: new_store(kms, used(kms, proxy(kms))),
    "XksProxyUriUnreachableException": lambda kms: new_store(kms, offline(kms, proxy(kms))),
    "XksProxyVpcEndpointServiceInUseException": service_is_in_use,
    "XksProxyVpcEndpointServiceInvalidConfigurationException": lambda kms: new_store(
        kms, proxy(kms, vpc_endpoint_service=SERVICE), XksProxyUriEndpoint="https://other.example.com"
    ),
    "XksProxyVpcEndpointServiceNotFoundException": lambda kms: new_store(
        kms, proxy(kms, vpc_endpoint_service=SERVICE), XksProxyVpcEndpointServiceName=SERVICE.replace("0", "1")
    ),
}


def test_every_error_of_the_model_is_here() -> None:
    shapes = service_description()["shapes"]
    assert CALLS.keys() | BY_FAULTS_ONLY.keys() == {name for name, shape in shapes.items() if shape.get("exception")}
    assert not CALLS.keys() & BY_FAULTS_ONLY.keys()


@pytest.mark.parametrize("code", CALLS)
def test_a_call_gets_the_error(kms_mock: KmsMock, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[code](kms_mock)
    assert refused.value.response["Error"]["Code"] == code, refused.value
    assert code in modelled_errors(refused.value.operation_name)
    assert isinstance(refused.value, getattr(kms_mock.client().exceptions, code))


@pytest.mark.parametrize("code", BY_FAULTS_ONLY)
def test_faults_give_the_others(kms_mock: KmsMock, code: str) -> None:
    key, client = new_key(kms_mock), kms_mock.client()
    kms_mock.faults.add(error=code)
    with pytest.raises(getattr(client.exceptions, code)):
        client.encrypt(KeyId=key, Plaintext=os.urandom(8))


def test_the_fidelity_pages_say_which_never_come() -> None:
    pages = "".join(page.read_text() for page in FIDELITY.glob("*.md"))
    assert [code for code in BY_FAULTS_ONLY if code not in pages] == []
