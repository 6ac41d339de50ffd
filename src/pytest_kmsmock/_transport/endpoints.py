"""KMS endpoints of every AWS partition: standard, FIPS, dual-stack and VPC endpoints; and URL prefixes.

Source: https://docs.aws.amazon.com/general/latest/gr/kms.html and the partitions and Regions of botocore.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

from pytest_kmsmock._kms.api.service_model import known_regions, misspelt_region
from pytest_kmsmock._record import Record
from pytest_kmsmock._runtime.checks import did_you_mean

#: The DNS suffixes of the AWS partitions; the second of a line is for dual-stack endpoints.
_SUFFIXES = (
    "amazonaws.com", "api.aws",
    "amazonaws.com.cn", "api.amazonwebservices.com.cn",
    "amazonaws.eu", "api.amazonwebservices.eu",
    "c2s.ic.gov", "api.aws.ic.gov",
    "sc2s.sgov.gov", "api.aws.scloud",
    "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov", "api.aws.hci.ic.gov",
)  # fmt: skip
#: The Region may be any name: calls to an unknown Region must not reach the network either.
_HOST = (
    r"(?:(?P<vpce>vpce-[a-z0-9-]+)\.)?kms(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:vpce\.)?(?:"
    + "|".join(map(re.escape, _SUFFIXES))
    + ")"
)


_DOMAINS = tuple(f".{suffix}" for suffix in _SUFFIXES)


@functools.lru_cache(maxsize=256)
def is_aws_host(host: str) -> bool:
    """Say whether a host, with or without a port, is an endpoint of any AWS service."""
    return host.partition(":")[0].lower().removesuffix(".").endswith(_DOMAINS)


@functools.lru_cache(maxsize=256)
def is_kms_host(host: str) -> bool:
    """Say whether a host is a KMS endpoint of AWS."""
    return re.fullmatch(_HOST, host.lower().removesuffix(".")) is not None


class Endpoint(Record):
    """A KMS endpoint of AWS.

    Attributes:
        region: the Region.
        vpc_endpoint: the id of the VPC endpoint; None for a public endpoint.
        unknown: the message about a Region that botocore does not know; empty for known Regions.
    """

    region: str
    vpc_endpoint: str | None
    unknown: str = ""


@functools.lru_cache(maxsize=256)
def kms_endpoint(url: str) -> Endpoint | None:
    """Return the KMS endpoint of AWS of a URL; None if it is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None  # not a URL, such as half an IPv6 address
    match = re.fullmatch(_HOST, host.lower().removesuffix("."))
    if match is None:
        return None
    vpce = match["vpce"]
    # vpce-0123456789abcdef0-abcdefgh, or with a zone at the end: the id is the first two parts.
    return Endpoint(match["region"], "-".join(vpce.split("-")[:2]) if vpce else None, _unknown(match["region"]))


def _unknown(region: str) -> str:
    """Return the message about a Region that botocore does not know; empty if it does."""
    known = known_regions()
    if region in known:
        return ""
    hint = did_you_mean(region, sorted(known))
    if misspelt_region(region) is None:
        hint += f" If the Region is new, update botocore or use mock_kms(region={region!r})."
    return f"Unknown Region {region!r}.{hint}"


@functools.lru_cache(maxsize=256)
def has_prefix(url: str, prefixes: tuple[str, ...]) -> bool:
    """Say whether a URL begins with one of some URLs: same scheme, host and port, and a prefix of its path."""
    parts = _parts(url)
    return parts is not None and any(
        prefix is not None and prefix[:3] == parts[:3] and parts[3].startswith(prefix[3])
        for prefix in map(_parts, prefixes)
    )


def _parts(url: str) -> tuple[str, str | None, int | None, str] | None:
    """Return scheme, host, port and path of a URL, the path with a slash at its end; None if it is not a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port, f"{parts.path.rstrip('/')}/"
