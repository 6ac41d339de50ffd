"""AWS Systems Manager Parameter Store: parameters of the type SecureString.

Sources: KMS Developer Guide, "How AWS Systems Manager Parameter Store uses AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html). Codes and messages: captured from
AWS, 2026-09. References to secrets: Systems Manager User Guide, "Referencing AWS Secrets Manager secrets from Parameter
Store parameters" (https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._moto.settings import secretsmanager as secrets
from pytest_kmsmock._moto.settings import ssm as settings
from pytest_kmsmock._services import data_keys, engine
from pytest_kmsmock._services.error_mapping import JAVA_SDK, Answered, ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, ENCRYPT, GENERATE_DATA_KEY, Rule, Service, Step

_MANAGED_KEY = "alias/aws/ssm"
_SECURE = "SecureString"
#: The limit of standard parameters, and the error of longer ones. Recorded, 2023 and 2026.
_MOST_CHARACTERS = 4096
_TOO_LONG = (
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter "
    "value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)
#: Names that begin so refer to secrets.
_REFERENCE = "/aws/reference/secretsmanager/"


def _protected(request: Request, name: str, version: object, key: str, value: str) -> Protected:
    """Return a version of a parameter."""
    path = name if name.startswith("/") else f"/{name}"
    arn = f"arn:{partition_of(request.region)}:ssm:{request.region}:{request.account}:parameter{path}"
    return Protected(
        key or _MANAGED_KEY, {"PARAMETER_ARN": arn}, request.region, (name, str(version)), request.account,
        {"Plaintext": value.encode()},
    )  # fmt: skip


# --- writes ----------------------------------------------------------------------------------------------


def _put(request: Request, *, advanced: bool) -> Iterable[Protected]:
    """Find the new version of a parameter, if it is advanced or not, as asked for.

    Raises:
        ServiceError: the value is too long for a standard parameter.
    """
    params = request.params
    name = params["Name"]
    there = settings.parameter(request.api, request.access_key, request.region, name)
    kind = params.get("Type") or ("" if there is None else there.type)
    is_refused = there is not None and not params.get("Overwrite")
    if kind != _SECURE or is_refused or advanced is not _is_advanced(params, there):
        return ()
    if not advanced and len(params["Value"]) > _MOST_CHARACTERS:
        raise ServiceError("ValidationException", _TOO_LONG)
    if there is not None and "KeyId" not in params:
        _name_managed_key(request)
    return (_protected(request, name, "", params.get("KeyId", ""), params["Value"])._replace(name=()),)


def _is_advanced(params: Mapping[str, Any], there: settings.Parameter | None) -> bool:
    """Say whether a parameter is advanced. Intelligent-Tiering decides by what the request needs.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-default-tier.html
    """
    before = "Standard" if there is None else there.tier
    tier = params.get("Tier") or before
    if tier != "Intelligent-Tiering":
        return bool(tier == "Advanced")
    return before == "Advanced" or "Policies" in params or len(params["Value"]) > _MOST_CHARACTERS


def _name_managed_key(request: Request) -> None:
    """Send the managed key: without KeyId "Parameter Store uses the AWS managed key", not the previous one."""
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


# --- reads -------------------------------------------------------------------------------------------------


def _answered(request: Request) -> Iterator[MutableMapping[str, Any]]:
    """Yield the secure strings in a response; a reference has the secret in its `SourceResult`."""
    answer = request.answer
    found = [answer["Parameter"]] if "Parameter" in answer else answer.get("Parameters", ())
    yield from (each for each in found if each.get("Type") == _SECURE and "SourceResult" not in each)


def _describe(request: Request, parameter: MutableMapping[str, Any]) -> Protected:
    name, version, value = parameter["Name"], parameter["Version"], parameter["Value"]
    known = request.kept((name, str(version)))
    if known is not None:
        return _protected(request, name, version, known.arn, value)
    stored = settings.parameter(request.api, request.access_key, request.region, name, version)
    key = "" if stored is None else stored.key
    return _protected(request, name, version, key, value.removeprefix(f"kms:{key}:"))


def _read(request: Request) -> Iterable[Protected]:
    """Find the secure strings that are decrypted."""
    if not request.params.get("WithDecryption"):
        return ()
    return [_describe(request, parameter) for parameter in _answered(request)]


def _show_ciphertexts(request: Request) -> None:
    """Return ciphertexts where moto returns `kms:` and the plaintext."""
    if request.params.get("WithDecryption"):
        return
    for parameter in _answered(request):
        protected = _describe(request, parameter)
        known = request.kept(protected.name)
        if known is None:
            known = data_keys.substitute(request.mock.service, protected, request.account)
            request.keep(protected.name, known)
        parameter["Value"] = base64.b64encode(known.blob).decode()


# --- references to secrets ----------------------------------------------------------------------------------------


def _read_by_reference(request: Request) -> None:
    """Read the secret that a name refers to.

    Raises:
        ServiceError: KMS refuses. The message is measured on AWS, of a secret that is being deleted.
    """
    try:
        _read_secret(request, request.params["Name"])
    except ServiceError as error:
        raise ServiceError(
            "ValidationException", "Invalid Request to Secrets Manager", request_id=error.request_id
        ) from None
    _show_ciphertexts(request)


def _read_all_by_reference(request: Request) -> None:
    """Read the secrets that names refer to. Names without decryption are invalid; refused ones are by inference."""
    answer = request.answer
    for name in request.params["Names"]:
        try:
            is_read = _read_secret(request, name)
        except ServiceError:
            is_read = False
        if not is_read and name not in answer["InvalidParameters"]:
            secret = name.removeprefix(_REFERENCE).partition(":")[0]  # moto's name of the parameter
            answer["Parameters"] = [each for each in answer["Parameters"] if each["Name"] not in (name, secret)]
            answer["InvalidParameters"].append(name)
    _show_ciphertexts(request)


def _read_secret(request: Request, name: str) -> bool:
    """Read a secret through Secrets Manager in a forward access session; return whether the name is valid."""
    if not name.startswith(_REFERENCE):
        return True
    identifier, _, selector = name.removeprefix(_REFERENCE).partition(":")
    read = request.through("secretsmanager", "GetSecretValue")
    secret = secrets.secret(read.api, request.access_key, request.region, identifier)
    versions = {} if secret is None else secret.versions
    wanted = {selector or "AWSCURRENT"}
    version = next((each for each, stages in versions.items() if wanted & {each, *stages}), None)
    if secret is None or version is None or not request.params.get("WithDecryption"):
        return False
    read.answer = {"ARN": secret.arn, "VersionId": version}
    try:
        engine.after(read)
    except Answered:  # decrypted with the previous key
        pass
    finally:
        request.delay += read.delay
    return True


_DECRYPTS = (Step(_read, (DECRYPT,)),)
_READS = Rule(after=_DECRYPTS, answered=_show_ciphertexts)

SERVICE = Service(
    "ssm",
    {
        "PutParameter": Rule(
            before=(Step(_put_standard, (ENCRYPT,), then=_note), Step(_put_advanced, (GENERATE_DATA_KEY,), then=_note)),
            answered=_keep,
        ),
        "GetParameter": Rule(after=_DECRYPTS, answered=_read_by_reference),
        "GetParameters": Rule(after=_DECRYPTS, answered=_read_all_by_reference),
        "GetParametersByPath": _READS,
        "GetParameterHistory": _READS,
    },
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("AccessDeniedException"),
            "ThrottlingException": ErrorTemplate("ThrottlingException"),  # inferred
        },
        otherwise=ErrorTemplate("InvalidKeyId"),
        suffix=JAVA_SDK,
    ),
)
