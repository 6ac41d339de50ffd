"""Ids and ARNs of KMS: how they look, how new ones are made, what a key identifier in a request refers to."""

from __future__ import annotations

import functools
import operator
import re
import uuid
from collections.abc import Callable
from typing import NamedTuple

KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
#: What AWS looks up as a key id. No key has capitals in its id, so one with them does not exist.
LIKE_KEY_ID = re.compile(KEY_ID.pattern, re.IGNORECASE)
_ARN = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):(key|alias)/(.+)")

#: By prefix of the Region's name. Source: the partitions of botocore's endpoints.json.
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isof-", "aws-iso-f"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


class Arn(NamedTuple):
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


#: Domains of the partitions that have one of their own.
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov"}


def service_endpoint(service: str, region: str) -> str:
    """Return the name of a service in a Region as `kms:ViaService` has it, such as `s3.eu-west-1.amazonaws.com`."""
    return f"{service}.{region}.{_DOMAINS.get(partition_of(region), 'amazonaws.com')}"


def key_arn(region: str, account: str, key_id: str) -> str:
    """Return the ARN of a key."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of an alias; `name` begins with `alias/`."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{name}"


def parse_arn(text: str) -> Arn | None:
    """Return the parts of a key or alias ARN, or None when the text is neither, or no Region of its partition."""
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    partition, region, account, kind, name = match.groups()
    if partition != partition_of(region):
        return None
    return Arn(partition, region, account, f"alias/{name}" if kind == "alias" else name, kind == "alias")


_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
#: What a UUID takes of 32 hexadecimal digits, at once.
_PARTS = operator.itemgetter(slice(8), slice(8, 12), slice(13, 16), 16, slice(17, 20), slice(20, None))


def new_uuid(random: Callable[[int], bytes]) -> str:
    """Return a version 4 UUID made from 16 bytes of the given source."""
    low, mid, high, variant, sequence, node = _PARTS(random(16).hex())
    # RFC 9562: two bits of the variant are fixed, and the four of the version
    return f"{low}-{mid}-4{high}-{_VARIANTS[variant]}{sequence}-{node}"


def new_key_id(random: Callable[[int], bytes], *, multi_region: bool) -> str:
    """Return a new key id: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key."""
    return f"mrk-{random(16).hex()}" if multi_region else new_uuid(random)


def new_key_arn(region: str, account: str, *, multi_region: bool) -> str:
    """Return an ARN by which policies can be asked about a key that is yet to be made: none of them knows its id."""
    return key_arn(region, account, f"mrk-{'0' * 32}" if multi_region else "00000000-0000-0000-0000-000000000000")


def event_id(*parts: str) -> str:
    """Return the id of a CloudTrail event, which follows from what the event is about.

    For a call that is request id, operation, Region and the account that logs it.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)))
