"""Request quotas: how often per second an account may call in a Region before KMS throttles it.

Each quota is a token bucket on the mock's clock that holds one second's worth of requests, and never less than one:
a rate of 0.5 is one request in two seconds. Only valid requests count, and a throttled one costs nothing.
Source: https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html (2026, with GetKeyLastUsage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._runtime.checks import check_type, did_you_mean, is_number
from pytest_kmsmock.errors import NotActive, UnknownQuota

from .preview import NOT_VALID, preview

SYMMETRIC = "Cryptographic operations (symmetric)"
RSA = "Cryptographic operations (RSA)"
ECC = "Cryptographic operations (ECC)"
ML = "Cryptographic operations (ML)"
KEY_STORE = "Custom key store"

#: Name in Service Quotas -> the shorter name here.
_NAMES = {"Cryptographic operations (ECC and SM2)": ECC, "Cryptographic operations (ML-DSA)": ML}
#: Quota -> requests per second. A quota named after an operation applies to that operation alone.
PER_SECOND: Mapping[str, float] = {
    RSA: 1000,
    ECC: 1000,
    ML: 1000,  # of ML-DSA keys; the guide has no row for ML-KEM keys, which are taken to share it (B)
    KEY_STORE: 1800,
    "CancelKeyDeletion": 5,
    "ConnectCustomKeyStore": 5,
    "CreateAlias": 5,
    "CreateCustomKeyStore": 5,
    "CreateGrant": 50,
    "CreateKey": 5,
    "DeleteAlias": 15,
    "DeleteCustomKeyStore": 5,
    "DeleteImportedKeyMaterial": 15,
    "DescribeCustomKeyStores": 5,
    "DescribeKey": 2000,
    "DisableKey": 5,
    "DisableKeyRotation": 5,
    "DisconnectCustomKeyStore": 5,
    "EnableKey": 5,
    "EnableKeyRotation": 15,
    "GenerateDataKeyPair (ECC_NIST_EDWARDS25519)": 100,
    "GenerateDataKeyPair (ECC_NIST_P256)": 100,
    "GenerateDataKeyPair (ECC_NIST_P384)": 100,
    "GenerateDataKeyPair (ECC_NIST_P521)": 100,
    "GenerateDataKeyPair (ECC_SECG_P256K1)": 100,
    "GenerateDataKeyPair (ML_KEM_1024)": 100,  # (B)
    "GenerateDataKeyPair (ML_KEM_512)": 100,  # (B)
    "GenerateDataKeyPair (ML_KEM_768)": 100,  # (B)
    "GenerateDataKeyPair (RSA_2048)": 20,
    "GenerateDataKeyPair (RSA_3072)": 4,
    "GenerateDataKeyPair (RSA_4096)": 1,
    "GenerateDataKeyPair (SM2)": 25,
    "GetKeyLastUsage": 5,
    "GetKeyPolicy": 1000,
    "GetKeyRotationStatus": 1000,
    "GetParametersForImport": 1,
    "GetPublicKey": 2000,
    "ImportKeyMaterial": 15,
    "ListAliases": 500,
    "ListGrants": 100,
    "ListKeyPolicies": 100,
    "ListKeyRotations": 100,
    "ListKeys": 500,
    "ListResourceTags": 2000,
    "ListRetirableGrants": 100,
    "PutKeyPolicy": 15,
    "ReplicateKey": 5,
    "RetireGrant": 50,
    "RevokeGrant": 50,
    "RotateKeyOnDemand": 5,
    "ScheduleKeyDeletion": 15,
    "TagResource": 10,
    "UntagResource": 5,
    "UpdateAlias": 5,
    "UpdateCustomKeyStore": 5,
    "UpdateKeyDescription": 5,
    "UpdatePrimaryRegion": 5,
}

#: Region -> its symmetric quota; all other Regions have the lowest.
SYMMETRIC_PER_SECOND: Mapping[str, float] = {
    **dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), 100_000),
    **dict.fromkeys(
        ("us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2"), 20_000
    ),
}
_LOWEST_SYMMETRIC = 10_000
#: The quotas of the Regions in China that differ.
_PER_SECOND_IN_CHINA: Mapping[str, float] = {
    "GenerateDataKeyPair (RSA_2048)": 1, "GenerateDataKeyPair (RSA_3072)": 0.5, "GenerateDataKeyPair (RSA_4096)": 0.1,
}  # fmt: skip

#: Seconds by which a request may come too early: the clock moves in whole milliseconds, so a second may be slightly
#: less. A token that is used early is missing later.
_TOLERANCE = 0.002
#: The highest quota that can be set.
_MOST = 1e12

#: Prefix of the key spec -> the quota that its keys share.
_FAMILIES = (("RSA_", RSA), ("ECC_", ECC), ("SM2", ECC), ("ML_", ML))

#: Operations that count about three requests for a custom key store.
_DEAR = frozenset({"GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateRandom"})


class Throttle:
    """Counts the requests of a mock, if it is active.

    Args:
        clock: the mock's clock.
        active: whether requests are counted.
        changed: called when that changes.

    Attributes:
        own: the quotas that the test has set.
    """

    def __init__(self, clock: Clock, active: bool, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}  # -> tokens left, at which timestamp
        self.active = active
        self.own: dict[str, float] = {}

    def switch(self, active: bool) -> None:
        """Start or stop counting requests."""
        if self._clock.ended:
            raise NotActive
        self.active = active
        self._buckets.clear()
        self._changed()

    def per_second(self, name: str, region: str) -> float:
        """Return a quota in a Region; the lowest in an unknown one."""
        if name in self.own:
            return self.own[name]
        if name == SYMMETRIC:
            return SYMMETRIC_PER_SECOND.get(region, _LOWEST_SYMMETRIC)
        of_region = _PER_SECOND_IN_CHINA if region.startswith("cn-") else PER_SECOND
        return of_region.get(name, PER_SECOND[name])

    def admit(self, call: Call) -> None:
        """Count a request.

        Raises:
            KmsError: `ThrottlingException` if the quota is exceeded.
        """
        seen = preview(call)
        if NOT_VALID in seen.notes:
            return
        now = self._clock.timestamp()
        account = call.caller.account
        taken: dict[tuple[str, str, str], tuple[float, float]] = {}
        for region, name, bucket, cost in _charges(seen):
            rate = self.per_second(name, region)
            most = max(rate, 1.0, cost)
            left, since = taken.get((account, region, bucket)) or self._buckets.get(
                (account, region, bucket), (most, now)
            )
            left = min(most, left + max(0.0, now - since) * rate)
            if left < cost - min(0.5, rate * _TOLERANCE):
                raise errors.THROTTLED()
            taken[account, region, bucket] = (left - cost, now)
        self._buckets.update(taken)


class RequestQuotas:
    """The request quotas of a mock by name, in requests per second of its clock.

    Names are those of Service Quotas. Setting a quota turns throttling on, and takes effect with the next request. An
    unknown name or a wrong number raises `UnknownQuota`.

    Example:
        >>> from pytest_kmsmock import mock_kms
        >>> with mock_kms(request_quotas=True) as kms:
        ...     kms.request_quotas["CreateKey"]
        5

    AWS: https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
    """

    __slots__ = ("_throttle",)

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    @property
    def active(self) -> bool:
        """Whether requests are counted; initially as the option `request_quotas`."""
        return self._throttle.active

    @active.setter
    def active(self, value: bool) -> None:
        check_type(value, bool, "request_quotas.active", error=UnknownQuota)
        self._throttle.switch(value)

    def __iter__(self) -> Iterator[str]:
        yield SYMMETRIC
        yield from PER_SECOND

    def __getitem__(self, name: str) -> float:
        """Return a quota, in requests per second; the symmetric one in a Region with the lowest quota."""
        return self._throttle.per_second(self._known(name), "")

    def __setitem__(self, name: str, per_second: float) -> None:
        """Set a quota for all accounts and Regions, and start counting requests.

        Args:
            name: the quota's name in Service Quotas, without "request rate": `CreateKey`,
                `Cryptographic operations (symmetric)`, `GenerateDataKeyPair (RSA_2048)`.
            per_second: requests per second; 0.5 is one in two seconds.

        Raises:
            UnknownQuota: an unknown name or a wrong number of requests.
        """
        name = self._known(name)
        if not is_number(per_second) or not 0 < per_second <= _MOST:
            raise UnknownQuota(
                f"A request quota must be a number of requests per second, more than 0 and at most {_MOST:g}, "
                f"not {per_second!r}."
            )
        self.active = True
        self._throttle.own[name] = per_second

    def _known(self, name: str) -> str:
        if isinstance(name, str):
            name = name.removesuffix(" request rate")
            name = _NAMES.get(name, name)
        if not isinstance(name, str) or name not in set(self):
            raise UnknownQuota(
                f"Unknown request quota {name!r}.{did_you_mean(name, self)} "
                "Cryptographic operations share one by the type of their key: "
                f"{SYMMETRIC!r}, {RSA!r}, {ECC!r}, {ML!r}; every other operation has its own, such as 'CreateKey'."
            )
        return name


def _charges(call: Call) -> Iterator[tuple[str, str, str, float]]:
    """Yield the charges of a call: Region, quota, bucket, number of requests."""
    operation, region = call.operation.name, call.region.name
    if operation in PER_SECOND:
        yield region, operation, operation, 1
    elif operation.startswith("GenerateDataKeyPair"):
        name = f"GenerateDataKeyPair ({call.params['KeyPairSpec']})"
        yield region, name, name, 1
    else:
        yield from _cryptographic(call)
    if operation == "ReplicateKey":
        # "... and two CreateKey requests in the replica's Region": one of them is a dry run
        yield call.params["ReplicaRegion"], "CreateKey", "CreateKey", 2
    elif operation == "UpdatePrimaryRegion":
        yield call.params["PrimaryRegion"], operation, operation, 1


def _cryptographic(call: Call) -> Iterator[tuple[str, str, str, float]]:
    keys = [target.key for target in call.targets if target.key is not None]
    region = call.region.name
    store = keys[0].custom_key_store_id if keys else call.params.get("CustomKeyStoreId")
    if store is not None:
        yield region, KEY_STORE, f"{KEY_STORE} {store}", 3 if call.operation.name in _DEAR else 1
    elif keys:
        spec = keys[0].spec.name
        name = next((name for prefix, name in _FAMILIES if spec.startswith(prefix)), SYMMETRIC)
        yield region, name, name, 1
    else:  # GenerateRandom
        yield region, SYMMETRIC, SYMMETRIC, 1
