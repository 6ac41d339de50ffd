"""Calls of a service's own API, for settings of resources where moto is not in this process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_kmsmock._record import Record
from pytest_kmsmock._transport.endpoints import is_aws_host

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: Whether the current call is one of this module, which makes no KMS calls.
asking: ContextVar[bool] = ContextVar("kms_mock_asking", default=False)


class Api(Record):
    """The API of a service at the endpoint of a request.

    Attributes:
        service: botocore's name of the service.
        region: the Region.
        url: the URL of the request.
        credentials: botocore's credentials of the request; None if it has none.
    """

    service: str
    region: str
    url: str
    credentials: Any

    def __call__(self, operation: str, /, **params: object) -> Mapping[str, Any]:
        """Return the parsed response; of an error, with `Error`."""
        scheme, _, rest = self.url.partition("://")
        host = rest.partition("/")[0]  # with the name of a bucket, if it is a host of S3
        place = None if is_aws_host(host) else f"{scheme}://{host}"
        client = _client(self.service, self.region, place, *_secrets(self.credentials))
        token = asking.set(True)
        try:
            answer: dict[str, Any] = client._make_api_call(operation, params)  # noqa: SLF001 - by the operation's name
        except ClientError as error:
            refused: dict[str, Any] = error.response
            return refused
        finally:
            asking.reset(token)
        return answer


def _secrets(credentials: Any) -> tuple[str | None, ...]:
    """Return access key, secret access key and session token without refreshing them."""
    names = ("access_key", "secret_key", "token")
    return tuple(getattr(credentials, f"_{name}", None) or getattr(credentials, name, None) for name in names)


@functools.lru_cache(maxsize=16)
def _client(
    service: str, region: str, url: str | None, access_key: str | None, secret: str | None, token: str | None
) -> BaseClient:
    from botocore.config import Config
    from botocore.session import Session

    path_style = Config(s3={"addressing_style": "path"})
    return Session().create_client(
        service, region, endpoint_url=url, config=path_style, aws_access_key_id=access_key,
        aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip
