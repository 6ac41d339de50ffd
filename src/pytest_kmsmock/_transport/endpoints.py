"""Which addresses are KMS: the endpoints of every AWS partition, plain, FIPS, dual-stack and in a VPC; and those named.

Source: https://docs.aws.amazon.com/general/latest/gr/kms.html and the partitions of botocore, which say too what
Regions there are.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_kmsmock._kms.api.service_model import known_regions

#: The DNS suffixes of the AWS partitions; the second of a line is its dual-stack one.
_SUFFIXES = (
    "amazonaws.com", "api.aws",
    "amazonaws.com.cn", "api.amazonwebservices.com.cn",
    "amazonaws.eu", "api.amazonwebservices.eu",
    "c2s.ic.gov", "api.aws.ic.gov",
    "sc2s.sgov.gov", "api.aws.scloud",
    "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov", "api.aws.hci.ic.gov",
)  # fmt: skip
#: The Region may be any name: calls to a Region that does not exist must not reach the network either.
_HOST = re.compile(
    r"(?:(?P<vpce>vpce-[a-z0-9-]+)\.)?kms(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:vpce\.)?(?:"
    + "|".join(map(re.escape, _SUFFIXES))
    + ")"
)


_DOMAINS = tuple(f".{suffix}" for suffix in _SUFFIXES)


@functools.lru_cache(maxsize=256)
def is_aws_host(host: str) -> bool:
    """Say whether a host, with or without a port, is one of AWS's, whatever the service."""
    return host.partition(":")[0].lower().removesuffix(".").endswith(_DOMAINS)


@functools.lru_cache(maxsize=256)
def is_kms_host(host: str) -> bool:
    """Say whether a host is a KMS endpoint of AWS."""
    return _HOST.fullmatch(host.lower().removesuffix(".")) is not None


class Endpoint(NamedTuple):
    """A KMS endpoint of AWS.

    Attributes:
        region: its Region.
        vpc_endpoint: the id of the VPC endpoint; None for a public endpoint.
        unknown: what to say about a Region that botocore does not know; empty for those that exist.
    """

    region: str
    vpc_endpoint: str | None
    unknown: str = ""


@functools.lru_cache(maxsize=256)
def kms_endpoint(url: str) -> Endpoint | None:
    """Return what KMS endpoint of AWS a URL addresses; None if it is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None  # no address at all: half an IPv6 address, say
    match = _HOST.fullmatch(host.lower().removesuffix("."))
    if match is None:
        return None
    vpce = match["vpce"]
    # vpce-0123456789abcdef0-abcdefgh, or with a zone at the end: the id is the first two parts.
    return Endpoint(match["region"], "-".join(vpce.split("-")[:2]) if vpce else None, _unknown(match["region"]))


def _unknown(region: str) -> str:
    """Return what to say about a Region that does not exist; empty if it does."""
    known = known_regions()
    if region in known:
        return ""
    import difflib

    close = difflib.get_close_matches(region, sorted(known), 1)
    return (
        f"botocore knows no Region {region!r}.{f' Did you mean {close[0]!r}?' if close else ''} If the Region is new, "
        f"update botocore or say mock_kms(region={region!r})."
    )


@functools.lru_cache(maxsize=256)
def is_below(url: str, addresses: tuple[str, ...]) -> bool:
    """Say whether a URL is one of some addresses or below one: same scheme, host and port, and its path begins it."""
    place = _place(url)
    return place is not None and any(
        given is not None and given[:3] == place[:3] and place[3].startswith(given[3])
        for given in map(_place, addresses)
    )


def _place(url: str) -> tuple[str, str | None, int | None, str] | None:
    """Return scheme, host, port and path of a URL, the path with a slash at its end; None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port, f"{parts.path.rstrip('/')}/"
