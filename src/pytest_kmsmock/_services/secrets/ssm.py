"""AWS Systems Manager Parameter Store: parameters of the type SecureString.

Sources: KMS Developer Guide, "How AWS Systems Manager Parameter Store uses AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html). Codes and messages: captured from
AWS, 2026-09.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._moto.settings import ssm as settings
from pytest_kmsmock._services import data_keys
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, ENCRYPT, GENERATE_DATA_KEY, Rule, Service, Step
from pytest_kmsmock._services.wording import JAVA_SDK, Refusals, Wording

_MANAGED_KEY = "alias/aws/ssm"
_SECURE = "SecureString"


def _protected(request: Request, name: str, version: object, key: str, value: str) -> Protected:
    """Describe a version of a parameter."""
    path = name if name.startswith("/") else f"/{name}"
    arn = f"arn:{partition_of(request.region)}:ssm:{request.region}:{request.account}:parameter{path}"
    return Protected(
        key or _MANAGED_KEY, {"PARAMETER_ARN": arn}, request.region, (name, str(version)), request.account,
        {"Plaintext": value.encode()},
    )  # fmt: skip


# --- what is written ----------------------------------------------------------------------------------------------


def _put(request: Request, *, advanced: bool) -> Iterable[Protected]:
    params = request.params
    name = params["Name"]
    there = settings.parameter(request.api, request.access_key, request.region, name)
    kind = params.get("Type") or ("" if there is None else there.type)
    tier = params.get("Tier") or ("Standard" if there is None else there.tier)
    is_refused = there is not None and not params.get("Overwrite")
    if kind != _SECURE or is_refused or advanced is not (tier == "Advanced"):
        return ()
    if there is not None and "KeyId" not in params:
        _name_managed_key(request)
    return (_protected(request, name, "", params.get("KeyId", ""), params["Value"])._replace(name=()),)


def _name_managed_key(request: Request) -> None:
    """Say what AWS takes if there is no KeyId: "Parameter Store uses the AWS managed key", not the one before."""
    body = json.loads(request.sent["body"])
    request.sent["body"] = json.dumps(body | {"KeyId": _MANAGED_KEY}).encode()


def _put_standard(request: Request) -> Iterable[Protected]:
    return _put(request, advanced=False)


def _put_advanced(request: Request) -> Iterable[Protected]:
    return _put(request, advanced=True)


def _note(request: Request, _protected: Protected, data_key: DataKey) -> None:
    request.notes["data_key"] = data_key


def _keep(request: Request) -> None:
    data_key: DataKey | None = request.notes.get("data_key")
    if data_key is not None:
        request.keep((request.params["Name"], str(request.answer["Version"])), data_key)


# --- what is read -------------------------------------------------------------------------------------------------


def _answered(request: Request) -> Iterator[MutableMapping[str, Any]]:
    """Yield the secure strings in an answer."""
    answer = request.answer
    found = [answer["Parameter"]] if "Parameter" in answer else answer.get("Parameters", ())
    yield from (parameter for parameter in found if parameter.get("Type") == _SECURE)


def _describe(request: Request, parameter: MutableMapping[str, Any]) -> Protected:
    name, version, value = parameter["Name"], parameter["Version"], parameter["Value"]
    known = request.kept((name, str(version)))
    if known is not None:
        return _protected(request, name, version, known.arn, value)
    stored = settings.parameter(request.api, request.access_key, request.region, name, version)
    key = "" if stored is None else stored.key
    return _protected(request, name, version, key, value.removeprefix(f"kms:{key}:"))


def _read(request: Request) -> Iterable[Protected]:
    """Find the secure strings that have been read in plain."""
    if not request.params.get("WithDecryption"):
        return ()
    return [_describe(request, parameter) for parameter in _answered(request)]


def _show_ciphertexts(request: Request) -> None:
    """Put ciphertexts in place of what moto answers without decryption."""
    if request.params.get("WithDecryption"):
        return
    for parameter in _answered(request):
        protected = _describe(request, parameter)
        known = request.kept(protected.name)
        if known is None:
            known = data_keys.made_up(request.mock.service, protected, request.account)
            request.keep(protected.name, known)
        parameter["Value"] = base64.b64encode(known.blob).decode()


_READS = Rule(after=(Step(_read, (DECRYPT,)),), answered=_show_ciphertexts)

SERVICE = Service(
    "ssm",
    {
        "PutParameter": Rule(
            before=(Step(_put_standard, (ENCRYPT,), then=_note), Step(_put_advanced, (GENERATE_DATA_KEY,), then=_note)),
            answered=_keep,
        ),
        "GetParameter": _READS,
        "GetParameters": _READS,
        "GetParametersByPath": _READS,
        "GetParameterHistory": _READS,
    },
    Refusals(
        {
            "AccessDeniedException": Wording("AccessDeniedException"),
            "ThrottlingException": Wording("ThrottlingException"),  # inferred
        },
        otherwise=Wording("InvalidKeyId"),
        suffix=JAVA_SDK,
    ),
)
