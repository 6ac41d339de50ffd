"""Looking up callers with access keys of another STS, such as that of moto's server, once for each access key."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, final

from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock.errors import InvalidOption

if TYPE_CHECKING:
    from http.client import HTTPResponse

_ARN = re.compile(rb"<Arn>(arn:[^<]+)</Arn>")
#: The caller that moto names for unknown access keys.
_UNKNOWN_CALLER = ":sts::123456789012:user/moto"
_SECONDS = 10


@final
class Identities:
    """The callers that another STS knows.

    Their policies are not asked for: they may do what key policies let IAM allow.

    Args:
        url: the address of the STS.

    Raises:
        InvalidOption: nobody answers there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._known: dict[str, Caller | None] = {}
        try:
            self.find("AKIAIOSFODNN7EXAMPLE")
        except (OSError, ValueError, HTTPException) as error:
            raise InvalidOption(
                f"--identities: no STS answers at {url!r}; give the URL of one, such as http://localhost:5000: "
                f"{getattr(error, 'reason', error)}"
            ) from None

    def find(self, access_key: str) -> Caller | None:
        """Return the caller with an access key; None if the STS does not know it."""
        if access_key not in self._known:
            self._known[access_key] = self._ask(access_key)
        return self._known[access_key]

    def _ask(self, access_key: str) -> Caller | None:
        scope = f"{access_key}/20200101/us-east-1/sts/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        request = urllib.request.Request(self._url, body, headers)
        try:
            response: HTTPResponse
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:
                found = _ARN.search(response.read())
        except urllib.error.HTTPError as error:
            error.close()
            return None
        arn = "" if found is None else found[1].decode()
        if found is None or arn.endswith(_UNKNOWN_CALLER):
            return None
        principal = Principal.parse(arn)
        return Caller(principal, principal.account or "", administrator=True)
