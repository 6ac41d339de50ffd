"""AWS Secrets Manager.

Sources: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager"
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html). Calls, codes and messages:
captured from AWS, 2026-09.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._moto.settings import secretsmanager as settings
from pytest_kmsmock._services import engine
from pytest_kmsmock._services.error_mapping import JAVA_SDK, ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, GENERATE_DATA_KEY, Rule, Service, Step

_MANAGED_KEY = "alias/aws/secretsmanager"
#: The version in the encryption context of key validation.
_VALIDATION = "RequestToValidateKeyAccess"
#: What ListSecretVersionIds calls the managed key. Recorded, 2023 to 2026; that it tells the ARN of others is inferred.
_DEFAULT = "DefaultEncryptionKey"
_RE_ENCRYPTED = frozenset({"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"})


def _version(arn: str, version: str, key: str, region: str = "") -> Protected:
    """Return a version of a secret."""
    _, _, _, home, account, *_ = arn.split(":")
    context = {"SecretARN": arn, "SecretVersionId": version}
    return Protected(key or _MANAGED_KEY, context, region or home, (arn, version), account)


def _secret(request: Request) -> settings.Secret | None:
    return settings.secret(request.api, request.access_key, request.region, request.params["SecretId"])


def _has_value(request: Request) -> bool:
    return "SecretString" in request.params or "SecretBinary" in request.params


def _keep(request: Request, protected: Protected, data_key: DataKey) -> None:
    request.keep(protected.name, data_key)


# --- writes ----------------------------------------------------------------------------------------------


def _created_key(request: Request) -> Iterable[Protected]:
    """Find the key of a new secret, to validate it."""
    key = request.params.get("KmsKeyId")
    return () if key is None else (_version(request.answer["ARN"], _VALIDATION, key),)


def _created(request: Request) -> Iterable[Protected]:
    """Find the first version of a new secret; its ARN is known after it is created."""
    if not _has_value(request):
        return ()
    answer = request.answer
    return (_version(answer["ARN"], answer["VersionId"], request.params.get("KmsKeyId", "")),)


def _take_back(request: Request) -> None:
    """Delete the new secret, and its replicas."""
    regions = [replica["Region"] for replica in request.params.get("AddReplicaRegions", ())]
    if regions:
        request.api("RemoveRegionsFromReplication", SecretId=request.answer["ARN"], RemoveReplicaRegions=regions)
    request.api("DeleteSecret", SecretId=request.answer["ARN"], ForceDeleteWithoutRecovery=True)


def _put(request: Request) -> Iterable[Protected]:
    """Find the new version of a secret; an existing one is only compared."""
    secret = _secret(request)
    token = request.params["ClientRequestToken"]
    if secret is None or not _has_value(request) or token in secret.versions:
        return ()
    return (_version(secret.arn, token, request.params.get("KmsKeyId") or secret.key),)


def _put_again(request: Request) -> Iterable[Protected]:
    secret = _secret(request)
    token = request.params["ClientRequestToken"]
    if secret is None or not _has_value(request) or token not in secret.versions:
        return ()
    return (_of_version(request, secret.arn, token, secret.key),)


def _new_key(request: Request) -> Iterable[Protected]:
    """Find the new key of a secret, to validate it."""
    key = request.params.get("KmsKeyId")
    secret = None if key is None else _secret(request)
    return () if key is None or secret is None else (_version(secret.arn, _VALIDATION, key),)


def _note_versions(request: Request, protected: Protected, _data_key: DataKey) -> None:
    """Store the versions to re-encrypt when the key has been changed."""
    secret = _secret(request)
    assert secret is not None, "its key has just been tried"
    versions = [version for version, stages in secret.versions.items() if _RE_ENCRYPTED & set(stages)]
    request.notes["versions to re-encrypt"] = [(secret.arn, version, secret.key, protected.key) for version in versions]


def _re_encrypt(request: Request) -> None:
    """Re-encrypt versions under the new key; a caller without Decrypt on the old key gets no error."""
    for arn, version, old_key, new_key in request.notes.get("versions to re-encrypt", ()):
        old, new = _of_version(request, arn, version, old_key), _version(arn, version, new_key)
        try:
            before = engine.call_kms(request, _READS, old)
            data_key = engine.call_kms(request, _WRITES, new._replace(name=()))
        except ServiceError:
            continue
        request.keep((arn, version), data_key)
        request.keep((arn, version, "before"), before)


# --- reads -------------------------------------------------------------------------------------------------


def _of_version(request: Request, arn: str, version: str, key: str) -> Protected:
    """Return an existing version, under the key that it was written with."""
    known = request.kept((arn, version))
    return _version(arn, version, key if known is None else known.arn)


def _read(request: Request) -> Iterable[Protected]:
    """Find the version in a response."""
    answer = request.answer
    secret = settings.secret(request.api, request.access_key, request.region, answer["ARN"])
    return () if secret is None else (_of_version(request, secret.arn, answer["VersionId"], secret.key),)


def _read_with_the_key_before(request: Request, _error: ServiceError) -> dict[str, Any] | None:
    """Decrypt a version with the previous key of the secret, if there is one: either key is sufficient.

    Raises:
        ServiceError: KMS refuses that too.
    """
    answer = request.answer
    before = request.kept((answer["ARN"], answer["VersionId"], "before"))
    if before is None:
        return None
    protected = _version(answer["ARN"], answer["VersionId"], before.arn)
    engine.call_kms(request, _READS, protected._replace(name=(*protected.name, "before")))
    return answer


def _read_batch(request: Request) -> None:
    """Decrypt several secrets; refused ones are in `Errors`, which is inferred from the API."""
    read, errors = [], list(request.answer.get("Errors", ()))
    for value in request.answer.get("SecretValues", ()):
        secret = settings.secret(request.api, request.access_key, request.region, value["ARN"])
        assert secret is not None, value
        try:
            engine.call_kms(request, _READS, _of_version(request, secret.arn, value["VersionId"], secret.key))
        except ServiceError as error:
            errors.append({"SecretId": value["ARN"], "ErrorCode": error.code, "Message": error.message})
        else:
            read.append(value)
    request.answer |= {"SecretValues": read, "Errors": errors}


def _name_keys(request: Request) -> None:
    """Set the keys of each version: its own, and after a change of the key also the previous one."""
    secret = _secret(request)
    if secret is None:  # it is being deleted
        return
    for listed in request.answer["Versions"]:
        version = listed["VersionId"]
        kept = (request.kept((secret.arn, version)), request.kept((secret.arn, version, "before")))
        keys = [each.arn for each in kept if each is not None] or [secret.key or _MANAGED_KEY]
        listed["KmsKeyIds"] = [_DEFAULT if _is_managed(request, key) else key for key in keys]


def _is_managed(request: Request, key: str) -> bool:
    arn = parse_arn(key)
    if arn is None:
        return key == _MANAGED_KEY
    alias = request.mock.service.state.region(arn.account, arn.region).aliases.get(_MANAGED_KEY)
    return alias is not None and alias.key_id == arn.name


def _replicate(request: Request) -> None:
    """Encrypt the versions of a secret in other Regions; a refusal is in the replica's status only."""
    params, states = request.params, request.answer.get("ReplicationStatus", ())
    asked = {replica["Region"]: replica.get("KmsKeyId", "") for replica in params.get("AddReplicaRegions", ())}
    if not asked or not states:
        return
    # moto answers the name as the ARN if it was asked by name
    secret = settings.secret(request.api, request.access_key, request.region, request.answer["ARN"])
    assert secret is not None, request.answer
    for state in states:
        region = state["Region"]
        if region in asked:
            there = secret.arn.replace(f":{request.region}:", f":{region}:")
            error = _copy(request, secret, [_version(there, each, asked[region], region) for each in secret.versions])
            changed = {"KmsKeyId": asked[region] or _MANAGED_KEY}
            changed |= {} if error is None else {"Status": "Failed", "StatusMessage": error.message}
            state |= changed
            settings.configure_replica(request.access_key, region, there, changed)


def _copy(request: Request, secret: settings.Secret, copies: Iterable[Protected]) -> ServiceError | None:
    """Encrypt versions of a secret in another Region; return the error, if any."""
    try:
        for copy in copies:
            _, version = copy.name
            engine.call_kms(request, _READS, _of_version(request, secret.arn, version, secret.key))
            request.keep(copy.name, engine.call_kms(request, _WRITES, copy))
    except ServiceError as error:
        return error
    return None


# --- the table ----------------------------------------------------------------------------------------------------

_NOT_ALLOWED = ErrorTemplate("AccessDeniedException", "Access to KMS is not allowed")
_NO_ENCRYPTION = ErrorTemplate("EncryptionFailure", "Secrets Manager can't encrypt the secret value: {message}")
_NO_DECRYPTION = ErrorMapping(
    {"AccessDeniedException": _NOT_ALLOWED},
    otherwise=ErrorTemplate("DecryptionFailure", "Secrets Manager can't decrypt the secret value: {message}"),
    suffix=JAVA_SDK,
)
_INVALID_KEY = ErrorMapping(
    {
        "AccessDeniedException": _NOT_ALLOWED,
        "DisabledException": ErrorTemplate(
            "InvalidParameterException", "The operation failed because the specified KMS key is disabled."
        ),
        # the message is documented, the code is inferred
        "InvalidKeyUsageException": ErrorTemplate(
            "InvalidParameterException", "Cannot generate a data key with an asymmetric KMS key"
        ),
        "ThrottlingException": _NO_ENCRYPTION,
    },
    otherwise=ErrorTemplate(
        "InvalidParameterException", "The operation failed because of an invalid KMS key: {message}"
    ),
    suffix=JAVA_SDK,
)  # fmt: skip

_TRIES = (GENERATE_DATA_KEY, DECRYPT)
_READS = Step(lambda _: (), (DECRYPT,), errors=_NO_DECRYPTION)
_WRITES = Step(lambda _: (), (GENERATE_DATA_KEY,))

SERVICE = Service(
    "secretsmanager",
    {
        "CreateSecret": Rule(
            after=(
                Step(_created_key, _TRIES, errors=_INVALID_KEY, rollback=_take_back),
                Step(_created, (GENERATE_DATA_KEY,), then=_keep, rollback=_take_back),
            ),
            answered=_replicate,
        ),
        "PutSecretValue": Rule(
            before=(
                Step(_put, (GENERATE_DATA_KEY,), then=_keep),
                Step(_put_again, (DECRYPT,), errors=_NO_DECRYPTION),
            )
        ),
        "UpdateSecret": Rule(
            before=(
                Step(_new_key, _TRIES, then=_note_versions, errors=_INVALID_KEY),
                Step(_put, (GENERATE_DATA_KEY,), then=_keep),
            ),
            answered=_re_encrypt,
        ),
        "GetSecretValue": Rule(
            after=(Step(_read, (DECRYPT,), errors=_NO_DECRYPTION, on_error=_read_with_the_key_before),)
        ),
        "ListSecretVersionIds": Rule(answered=_name_keys),
        "BatchGetSecretValue": Rule(answered=_read_batch),
        "ReplicateSecretToRegions": Rule(answered=_replicate),
    },
    ErrorMapping(
        {"AccessDeniedException": _NOT_ALLOWED},
        otherwise=_NO_ENCRYPTION,
        suffix=JAVA_SDK,
    ),
)
