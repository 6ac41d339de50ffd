"""Key ids, key ARNs and alias ARNs: parsing them and making new ones."""

from __future__ import annotations

import functools
import operator
import re
import uuid
from collections.abc import Callable

from pytest_kmsmock._record import Record

KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
#: What AWS looks up as a key id, capitals included; since key ids are lower case, such a key is not found.
KEY_ID_ANY_CASE = re.compile(KEY_ID.pattern, re.IGNORECASE)
_ARN = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):(key|alias)/(.+)")

#: (prefix of Region names, partition). Source: the partitions of botocore's endpoints.json.
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isof-", "aws-iso-f"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


class Arn(Record):
    """The parts of a KMS ARN. `name` is the key id, or the alias name with its `alias/`."""

    partition: str
    region: str
    account: str
    name: str
    is_alias: bool


@functools.lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Return the AWS partition of a Region, such as `aws-cn` for `cn-north-1`."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


#: DNS suffixes of partitions that do not use `amazonaws.com`.
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov"}


def service_endpoint(service: str, region: str) -> str:
    """Return the value of `kms:ViaService` for a service in a Region, such as `s3.eu-west-1.amazonaws.com`."""
    return f"{service}.{region}.{_DOMAINS.get(partition_of(region), 'amazonaws.com')}"


def key_arn(region: str, account: str, key_id: str) -> str:
    """Return the ARN of a key."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of an alias; `name` begins with `alias/`."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{name}"


def parse_arn(text: str) -> Arn | None:
    """Parse a key or alias ARN; None for other strings, and for a Region outside the ARN's partition."""
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    partition, region, account, kind, name = match.groups()
    if partition != partition_of(region):
        return None
    return Arn(partition, region, account, f"alias/{name}" if kind == "alias" else name, kind == "alias")


_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
#: Splits 32 hexadecimal digits into the parts of a UUID in one call.
_PARTS = operator.itemgetter(slice(8), slice(8, 12), slice(13, 16), 16, slice(17, 20), slice(20, None))


def new_uuid(random: Callable[[int], bytes]) -> str:
    """Return a version 4 UUID made from 16 bytes of `random`."""
    low, mid, high, variant, sequence, node = _PARTS(random(16).hex())
    # RFC 9562 fixes the four version bits and two variant bits
    return f"{low}-{mid}-4{high}-{_VARIANTS[variant]}{sequence}-{node}"


def new_key_id(random: Callable[[int], bytes], *, multi_region: bool) -> str:
    """Return a new key id: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key."""
    return f"mrk-{random(16).hex()}" if multi_region else new_uuid(random)


def placeholder_key_arn(region: str, account: str, *, multi_region: bool) -> str:
    """Return a placeholder ARN to evaluate policies with before a new key has an id."""
    return key_arn(region, account, f"mrk-{'0' * 32}" if multi_region else "00000000-0000-0000-0000-000000000000")


def event_id(*parts: str) -> str:
    """Return the id of a CloudTrail event, derived from `parts`.

    The parts for a call are the request id, the operation, the Region and the account that logs it.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)))
