"""Which addresses are KMS."""

from __future__ import annotations

import botocore.session
import pytest

from pytest_kmsmock._transport.endpoints import has_prefix, kms_endpoint

# Regions of every partition, as botocore's endpoints know them, plain, FIPS and dual-stack.
SESSION = botocore.session.Session()
VARIANTS = {
    "plain": {},
    "fips": {"use_fips_endpoint": True},
    "dual-stack": {"use_dualstack_endpoint": True},
    "fips-dual-stack": {"use_fips_endpoint": True, "use_dualstack_endpoint": True},
}


def urls():
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    for partition in SESSION.get_available_partitions():
        for region in SESSION.get_available_regions("kms", partition)[:2]:
            for name, variant in VARIANTS.items():
                try:
                    client = SESSION.create_client(
                        "kms",
                        region_name=region,
                        aws_access_key_id="a",
                        aws_secret_access_key="b",
                        config=Config(**variant),
                    )
                except BotoCoreError:  # the partition has no such variant
                    continue
                if client.meta.endpoint_url:
                    yield pytest.param(region, client.meta.endpoint_url, id=f"{region}-{name}")


@pytest.mark.parametrize(("region", "url"), list(urls()))
def test_every_endpoint_of_botocore_is_kms(region, url):
    found = kms_endpoint(url)
    assert found is not None, url
    # FIPS pseudo-regions such as `us-gov-west-1-fips` are addressed as the Region itself.
    assert found.region == region.removesuffix("-fips").removeprefix("ProdFips")


@pytest.mark.parametrize(
    ("url", "region", "vpc_endpoint"),
    [
        (
            "https://vpce-0123456789abcdef0-abcdefgh.kms.us-east-1.vpce.amazonaws.com",
            "us-east-1",
            "vpce-0123456789abcdef0",
        ),
        (
            "https://vpce-0123456789abcdef0-abcdefgh-us-east-1a.kms.us-east-1.vpce.amazonaws.com/",
            "us-east-1",
            "vpce-0123456789abcdef0",
        ),
        ("https://KMS.EU-WEST-1.amazonaws.com:443/", "eu-west-1", None),
        ("https://kms.eu-west-1.api.aws", "eu-west-1", None),
        ("https://kms.eu-west-1.amazonaws.com./", "eu-west-1", None),
    ],
)
def test_other_forms(url, region, vpc_endpoint):
    assert kms_endpoint(url) == (region, vpc_endpoint, "")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:4566/",
        "http://[::1",
        "https://s3.us-east-1.amazonaws.com",
        "https://kms.us-east-1.amazonaws.com.example.org",
        "https://notkms.us-east-1.amazonaws.com",
        "https://kms.amazonaws.com",
        "https://example.org/kms.us-east-1.amazonaws.com",
        "",
    ],
)
def test_other_hosts(url):
    assert kms_endpoint(url) is None


@pytest.mark.parametrize(
    ("url", "address", "expected"),
    [
        pytest.param("http://localhost:4566", "http://localhost:4566", True, id="same"),
        pytest.param("http://localhost:4566/", "http://localhost:4566", True, id="slash"),
        pytest.param("http://localhost:4566", "http://localhost:4566/", True, id="no-slash"),
        pytest.param("http://LocalHost:4566/?a=b", "HTTP://localhost:4566", True, id="case-and-query"),
        pytest.param("http://localhost/", "http://localhost:80", True, id="usual-port"),
        pytest.param("https://localhost:443/", "https://localhost", True, id="usual-port-of-https"),
        pytest.param("http://localhost:1/kms/", "http://localhost:1/kms", True, id="path"),
        pytest.param("http://localhost:1/kms/x", "http://localhost:1/kms", True, id="below-path"),
        pytest.param("http://localhost:1/kmsother", "http://localhost:1/kms", False, id="longer-path"),
        pytest.param("http://localhost:1/", "http://localhost:1/kms", False, id="above-path"),
        pytest.param("http://localhost:45660", "http://localhost:4566", False, id="longer-port"),
        pytest.param("http://localhost:4566", "http://localhost", False, id="other-port"),
        pytest.param("http://localhost.example.org", "http://localhost", False, id="longer-host"),
        pytest.param("https://localhost:4566", "http://localhost:4566", False, id="scheme"),
        pytest.param("http://[::1", "http://localhost:4566", False, id="no-address"),
        pytest.param("http://localhost:4566", "http://localhost:99999", False, id="no-port"),
    ],
)
def test_prefixes_of_urls(url, address, expected):
    assert has_prefix(url, ("http://elsewhere", address)) is expected
