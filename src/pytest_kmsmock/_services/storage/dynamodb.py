"""Amazon DynamoDB: tables under a KMS key.

A table gets a grant for DynamoDB; callers that read or write items need permission to decrypt the table key. Sources:
Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "usage notes"
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html); KMS Developer Guide, "How
Amazon DynamoDB uses AWS KMS". The message of an access denial is recorded, those of UpdateTable are from one public
document of 2026, all others are inferred.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.rules.key_states import key_state
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._moto.settings import dynamodb as settings
from pytest_kmsmock._services.error_mapping import JAVA_SDK, ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.grants import granting, retiring
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import (
    CREATE_GRANT,
    DECRYPT,
    DESCRIBE_KEY,
    GENERATE_DATA_KEY,
    RETIRE_GRANT,
    Rule,
    Service,
    Step,
    as_service,
    unchanged,
)  # fmt: skip

_MANAGED_KEY = "alias/aws/dynamodb"
_GRANTED = ("DescribeKey", "GenerateDataKey", "Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "RetireGrant")


def _protected(request: Request, name: str, key: str) -> Protected:
    context = {"aws:dynamodb:tableName": name, "aws:dynamodb:subscriberId": request.account}
    return Protected(key, context, request.region, (name,), request.account, reused_by="role")


def _principal(request: Request) -> str:
    return f"dynamodb.{request.region}.amazonaws.com"


def _dynamodb(request: Request, protected: Protected) -> Caller:
    """Return DynamoDB's service principal of the Region, which calls KMS by its grant."""
    return as_service(f"dynamodb.{request.region}")(request, protected)


def _granting(request: Request, name: str, key: str) -> Protected:
    return granting(_protected(request, name, key), _principal(request), _GRANTED)


def _table(request: Request, name: str) -> settings.Table | None:
    return settings.table(request.api, request.access_key, request.region, name)


def _wanted_key(request: Request) -> str:
    """Return the key in a request; empty for an AWS owned key."""
    wanted = request.params.get("SSESpecification") or {}
    return (wanted.get("KMSMasterKeyId") or _MANAGED_KEY) if wanted.get("Enabled") else ""


def _created(request: Request) -> Iterable[Protected]:
    """Find the table that CreateTable creates."""
    name, key = request.params["TableName"], _wanted_key(request)
    return () if not key or _table(request, name) is not None else (_granting(request, name, key),)


def _updated(request: Request) -> Iterable[Protected]:
    """Find the table whose key UpdateTable changes."""
    name, key = request.params["TableName"], _wanted_key(request)
    return () if not key or _table(request, name) is None else (_granting(request, name, key),)


def _encrypted(request: Request) -> Iterable[Protected]:
    """Find the table that DynamoDB generates a table key for, by the new grant."""
    key = request.notes.get("key")
    return () if key is None else (_protected(request, request.params["TableName"], key),)


def _note_table(request: Request) -> Iterable[Protected]:
    """Store the table before it is deleted."""
    request.notes["table"] = _table(request, request.params["TableName"])
    return ()


def _retired(request: Request) -> Iterator[Protected]:
    """Find the grants of the table that has been deleted."""
    table: settings.Table | None = request.notes["table"]
    if table is not None and table.key:
        yield from retiring(request, _protected(request, table.name, table.key), _principal(request))


def _name_key(request: Request, _protected: Protected, data_key: DataKey) -> None:
    """Store the key ARN with the table: an alias is resolved once."""
    request.notes["key"] = data_key.arn
    body = json.loads(request.sent["body"])
    body["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": data_key.arn}
    request.sent["body"] = json.dumps(body).encode()


def _change_key(request: Request) -> None:
    """Store the new key of a table, and show it in the response."""
    if "SSESpecification" in request.params:
        name, key = request.params["TableName"], request.notes.get("key", "")
        settings.change_key(request.access_key, request.region, name, key)
        described = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}} if key else {}
        request.answer["TableDescription"].pop("SSEDescription", None)
        request.answer["TableDescription"] |= described


def _names(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the tables in a request."""
    if "TableName" in params:
        yield params["TableName"]
    yield from params.get("RequestItems", ())
    for item in params.get("TransactItems", ()):
        yield from (each["TableName"] for each in item.values())


def _used(request: Request) -> Iterator[Protected]:
    """Find the tables under a KMS key whose items are read or written."""
    for name in dict.fromkeys(_names(request.params)):
        table = _table(request, name)
        if table is not None and table.key:
            yield _protected(request, table.name, table.key)


def _keep(request: Request, protected: Protected, data_key: DataKey) -> None:
    request.keep(protected.name, data_key)


def _describe(request: Request) -> None:
    """Set the status of a table whose key is unusable. On AWS that takes some minutes."""
    table = request.answer["Table"]
    arn = parse_arn(table.get("SSEDescription", {}).get("KMSMasterKeyArn", ""))
    if arn is None:
        return
    state = request.mock.service.state
    key = state.region(arn.account, arn.region).keys.get(arn.name)
    if key is None or key_state(key, state) != "Enabled":
        table["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
        table["SSEDescription"]["InaccessibleEncryptionDateTime"] = request.mock.service.clock.now()


# --- the table ----------------------------------------------------------------------------------------------------

_MODEL = "com.amazonaws.services.kms.model"
_DENIED = ErrorTemplate("AccessDeniedException", f"KMS key access denied error: {_MODEL}.AWSKMSException: {{message}}")
_DISABLED = f"KMS key disabled error: {_MODEL}.DisabledException: {{message}}"
_OTHER = f"KMS validation error: {_MODEL}.{{code}}: {{message}}"
_CONFIGURED = ErrorMapping(
    {
        "AccessDeniedException": _DENIED,
        "DisabledException": ErrorTemplate("ValidationException", _DISABLED),
        # of CreateGrant: an asymmetric key cannot make data keys
        "ValidationException": ErrorTemplate("InternalServerError", "Internal server error", 500),
        "ThrottlingException": ErrorTemplate("ThrottlingException"),
    },
    otherwise=ErrorTemplate("ValidationException", _OTHER),
    suffix=JAVA_SDK,
)  # fmt: skip
_MAKES_TABLE_KEY = Step(_encrypted, (GENERATE_DATA_KEY,), who=_dynamodb, then=_keep, on_error=unchanged)
_USES = Rule(before=(Step(_used, (DECRYPT,), then=_keep),))

SERVICE = Service(
    "dynamodb",
    {
        "CreateTable": Rule(
            before=(Step(_created, (DESCRIBE_KEY, CREATE_GRANT), then=_name_key, errors=_CONFIGURED),),
            after=(_MAKES_TABLE_KEY,),
        ),
        "UpdateTable": Rule(
            before=(Step(_updated, (DESCRIBE_KEY, CREATE_GRANT), then=_name_key, errors=_CONFIGURED),),
            after=(_MAKES_TABLE_KEY,),
            answered=_change_key,
        ),
        "DeleteTable": Rule(
            before=(Step(_note_table, ()),),
            after=(Step(_retired, (RETIRE_GRANT,), who=_dynamodb, on_error=unchanged),),
        ),
        "DescribeTable": Rule(answered=_describe),
        **dict.fromkeys(
            ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
             "TransactWriteItems", "UpdateItem"),
            _USES,
        ),
    },
    ErrorMapping(
        {
            "AccessDeniedException": _DENIED,
            "DisabledException": ErrorTemplate("AccessDeniedException", _DISABLED),
            "ThrottlingException": ErrorTemplate("ThrottlingException"),
        },
        otherwise=ErrorTemplate("AccessDeniedException", _OTHER),
        suffix=JAVA_SDK,
    ),
)  # fmt: skip
