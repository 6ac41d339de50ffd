"""Health checks and CORS of the HTTP endpoint."""

from __future__ import annotations

import pytest
import requests

PREFLIGHT = {
    "Origin": "http://localhost:3000",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-amz-date,x-amz-target,x-amz-user-agent",
}


@pytest.mark.parametrize("path", ["/health", "/ping", "/health?deep=1"])
def test_health(kms_mock, kms_server, path):
    response = requests.get(kms_server.endpoint_url + path)
    assert (response.status_code, response.json()) == (200, {"status": "healthy"})
    assert requests.head(kms_server.endpoint_url + path).status_code == 200
    assert len(kms_mock.calls) == 0


def test_preflight_requests_are_answered_as_by_aws(kms_server):
    # The headers are those that mhart/dynalite recorded of DynamoDB, whose front end is the same.
    response = requests.options(kms_server.endpoint_url, headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "POST"
    assert response.headers["Access-Control-Allow-Headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert response.headers["Access-Control-Max-Age"] == "172800"
    without = {name: value for name, value in PREFLIGHT.items() if not name.endswith("Request-Headers")}
    assert "Access-Control-Allow-Headers" not in requests.options(kms_server.endpoint_url, headers=without).headers


def test_pages_may_read_answers_and_errors(kms_server, sign):
    origin = {"Origin": "http://localhost:3000"}
    right = sign(url=kms_server.endpoint_url)
    for headers, status in ((right.headers, 200), ({}, 404)):
        response = requests.post(kms_server.endpoint_url, right.body, headers={**headers, **origin})
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "x-amzn-RequestId" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in requests.post(right.url, right.body, headers=right.headers).headers


def test_cors_is_an_option(kms_mock):
    with kms_mock.serve() as server:
        response = requests.options(server.endpoint_url, headers=PREFLIGHT)
        assert response.status_code == 404
        assert "Access-Control-Allow-Origin" not in response.headers
