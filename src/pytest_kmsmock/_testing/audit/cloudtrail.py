"""`KmsMock.cloudtrail_events()`: calls and service events as CloudTrail records.

Nothing is stored for it: records are created on demand from `KmsMock.calls` and `State.events`. `cloudtrail_tables`
lists the members that CloudTrail shows. See
https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import event_id, key_arn, parse_arn, partition_of
from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._kms.api.service_model import service_description

from . import cloudtrail_identity
from . import cloudtrail_tables as tables

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.errors import KmsError
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._kms.state.records import Key, ServiceEvent
    from pytest_kmsmock._kms.state.state import State

#: A CloudTrail record.
Event = dict[str, Any]

_INTERNAL = "AWS Internal"
#: Parameters that are omitted from records of a service's denied calls.
_HIDDEN = ("keyId", "encryptionContext")


def events(calls: Sequence[CallRecord], state: State) -> list[Event]:
    """Return the records of calls and service events, oldest first.

    A call on another account's key is logged in both accounts, unless it was denied: then the owner learns nothing.
    A call that never reached KMS (a failed connection) is not logged.
    """
    found: list[tuple[datetime, Event]] = []
    for record in calls:
        found += [(record.time, event) for event in _call_events(record, state)]
    found += [(event.time, _service_event(event, state)) for event in state.events]
    found.sort(key=lambda entry: entry[0])
    return [event for _, event in found]


def _call_events(record: CallRecord, state: State) -> Iterator[Event]:
    """Yield the records of one call: one in each account and Region that logs it."""
    outcome = _logged_outcome(record)
    if outcome is None:
        return
    result, error = outcome
    denied = error is not None and error.code == "AccessDeniedException"
    event = _call_event(record, result, error, state)
    caller = record.caller
    owners = {key.account for key in record.keys} - {caller.account}
    if not owners or denied:
        yield _received(event, caller.account or next(iter(owners), ""))
    else:
        shared = {"sharedEventID": event_id(record.request_id, "shared")}
        if caller.account:
            yield _received(event, caller.account) | shared
        for owner in sorted(owners):
            yield _received(event | {"userIdentity": cloudtrail_identity.seen_by_owner(caller)}, owner) | shared
    if error is None and result is not None:
        yield from _derived(record, event, result)


def _logged_outcome(record: CallRecord) -> tuple[Mapping[str, Any] | None, KmsError | None] | None:
    """Return result and error of a call in KMS; None if it did not reach KMS."""
    error = record.error
    if isinstance(error, InjectedError):
        if error.lost_response is not None:
            return error.lost_response, None
        if error.kind != "answer":
            return None
    if error is None and record.result is None:
        return None  # an error of the mock, such as a missing package
    return record.result, error


def _call_event(record: CallRecord, result: Mapping[str, Any] | None, error: KmsError | None, state: State) -> Event:
    denied = error is not None and error.code == "AccessDeniedException"
    event: Event = {
        "eventVersion": "1.11",
        "userIdentity": cloudtrail_identity.of(record.caller),
        "eventTime": _time(record.time),
        "eventSource": "kms.amazonaws.com",
        "eventName": record.operation,
        "awsRegion": record.region,
        **_origin(record.caller),
    }
    if error is not None:
        event["errorCode"] = "AccessDenied" if denied else error.code  # (B): both spellings are on record
        event["errorMessage"] = error.message
    # Captured 2026-09: records of a service's denied calls have neither key nor context.
    is_hidden = denied and record.via is not None
    parameters = _parameters(record)
    if is_hidden and parameters is not None:
        parameters = {name: value for name, value in parameters.items() if name not in _HIDDEN}
    event["requestParameters"] = parameters
    event["responseElements"] = None if result is None else _answer(record, result)
    additional = _additional(record, result, state)
    if additional:
        event["additionalEventData"] = additional
    event["requestID"] = record.request_id
    event["readOnly"] = record.operation not in tables.WRITES
    resources = _resources(record, result)
    if record.operation not in tables.NO_RESOURCES and (resources or error is None) and not is_hidden:
        event["resources"] = resources
    event |= {"eventType": "AwsApiCall", "managementEvent": True, "eventCategory": "Management"}
    if cloudtrail_identity.invoking_service(record.caller) is None:  # recorded 2020 to 2026: a service's call has none
        event["tlsDetails"] = _tls(record.region)
    return event


def _derived(record: CallRecord, event: Event, result: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the events that a call causes in another Region, which are logged there."""
    inside = event["userIdentity"] | {"invokedBy": "kms.amazonaws.com"}
    if record.operation == "ReplicateKey":
        metadata = result["ReplicaKeyMetadata"]
        region = record.params["ReplicaRegion"]
        made = {
            "eventName": "CreateKey",
            "awsRegion": region,
            "requestParameters": {"multiRegion": True, **tables.DEFAULTS["ReplicateKey"]},
            "responseElements": {"keyMetadata": event["responseElements"]["replicaKeyMetadata"]},
            "resources": [_resource(metadata["Arn"])],
            "userIdentity": inside,
            "tlsDetails": _tls(region),
        }
        yield _received(event | made, record.account)
    elif record.operation == "UpdatePrimaryRegion" and record.key is not None:
        region = record.params["PrimaryRegion"]
        arn = record.key.arn.replace(f":{record.key.region}:", f":{region}:")
        made = {
            "awsRegion": region,
            "requestParameters": {"keyId": arn, "primaryRegion": region},
            "userIdentity": inside,
            "tlsDetails": _tls(region),
        }
        there = {name: value for name, value in (event | made).items() if name != "resources"}
        yield _received(there, record.account)


def _service_event(event: ServiceEvent, state: State) -> Event:
    key = event.key
    is_call = event.name in tables.API_CALL_EVENTS
    arn = key.arn
    if is_call and key.multi_region is not None:  # AWS names the primary key in every Region
        arn = key_arn(key.multi_region.primary, key.account, key.id)
    made: Event = {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": key.account, "invokedBy": _INTERNAL},
        "eventTime": _time(event.time),
        "eventSource": "kms.amazonaws.com",
        "eventName": event.name,
        "awsRegion": key.region,
        "sourceIPAddress": _INTERNAL,
        "userAgent": _INTERNAL,
        "requestParameters": None,
        "responseElements": {"keyId": arn} if event.name in tables.KEY_ARN_ANSWERED else None,
        **_store_of(key, state),
        **({"requestID": event_id(event.name, key.arn, event.time.isoformat(), "request")} if is_call else {}),
        "eventID": event_id(event.name, key.arn, event.time.isoformat()),
        "readOnly": False,
        "resources": [_resource(arn)],
        "eventType": "AwsApiCall" if is_call else "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": key.account,
        **(
            {} if event.name in tables.KEY_ARN_ANSWERED else {"serviceEventDetails": {**event.details, "keyId": key.id}}
        ),
        "eventCategory": "Management",
    }
    return made


def _store_of(key: Key, state: State) -> Event:
    """Return the `additionalEventData` of events of a key in a CloudHSM key store; empty for other keys."""
    store = state.region(key.account, key.region).custom_key_stores.get(key.custom_key_store_id or "")
    if store is None or "CloudHsmClusterId" not in store.settings:
        return {}
    return {"additionalEventData": {"customKeyStoreId": store.id, "clusterId": store.settings["CloudHsmClusterId"]}}


# --- parts of a record ---------------------------------------------------------------------------------------------


def _received(event: Event, account: str) -> Event:
    unique = event_id(event["requestID"], event["eventName"], event["awsRegion"], account)
    return event | {"eventID": unique, "recipientAccountId": account}


def _tls(region: str) -> Event:
    host = f"kms.{region}.amazonaws.com" + (".cn" if partition_of(region) == "aws-cn" else "")
    return {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_256_GCM_SHA384",
        "clientProvidedHostHeader": host,
    }


def _origin(caller: Caller) -> Event:
    """Return the source of a request: the AWS service that makes it for the caller, if any."""
    service = cloudtrail_identity.invoking_service(caller)

    def of(key: str, default: str) -> str:
        return service or next(iter(caller.context.get(key, ())), default)

    return {
        "sourceIPAddress": of("aws:sourceip", "127.0.0.1"),
        "userAgent": of("aws:useragent", "pytest-kmsmock"),
    }


def _parameters(record: CallRecord) -> Event | None:
    if record.operation in tables.NO_PARAMETERS:
        return None
    description = service_description()
    shape = description["operations"][record.operation]["input"]["shape"]
    members = {name: value for name, value in record.params.items() if name not in tables.OMITTED}
    shown: Event = _show(description["shapes"], shape, members)
    return {**tables.DEFAULTS.get(record.operation, {}), **shown} or None


def _answer(record: CallRecord, result: Mapping[str, Any]) -> Event | None:
    names = tables.ANSWERS.get(record.operation, ())
    members = {name: result[name] for name in names if name in result}
    if "DeletionDate" in members:
        members.pop("PendingWindowInDays", None)
    shown: Event = {}
    if members:
        description = service_description()
        shape = description["operations"][record.operation]["output"]["shape"]
        shown = _show(description["shapes"], shape, members)
    keys = [target.arn for target in _shown_targets(record) if target.key is not None]
    if record.operation in tables.KEY_ARN_ANSWERED and keys:
        shown["keyId"] = keys[0]
    return shown or None


def _show(shapes: Mapping[str, Any], name: str, value: Any) -> Any:
    """Return a value as CloudTrail writes it; None for values that it omits."""
    shape = shapes[name]
    kind = shape["type"]
    if kind == "blob" or shape.get("sensitive"):
        return None
    if kind == "timestamp" and isinstance(value, datetime):
        return _java_time(value)
    if kind == "list" and isinstance(value, list | tuple):
        return [_show(shapes, shape["member"]["shape"], item) for item in value]
    if kind == "structure" and isinstance(value, Mapping):
        members = shape["members"]
        shown = {
            tables.RENAMED.get(member, member[0].lower() + member[1:]): _show(shapes, members[member]["shape"], item)
            for member, item in value.items()
            if member in members
        }
        return {member: item for member, item in shown.items() if item is not None}
    return value


def _additional(record: CallRecord, result: Mapping[str, Any] | None, state: State) -> Event:
    """Return `additionalEventData`, which is neither in the request nor in the response."""
    data: Event = {} if result is None else _material(record, result)
    key = record.key
    if key is not None and key.custom_key_store_id is not None and record.operation not in tables.WRITES:
        data["customKeyStoreId"] = key.custom_key_store_id
        if key.xks_key_id is not None:
            data["xksKeyId"] = key.xks_key_id
    if record.operation in tables.NO_RESOURCES & tables.WRITES:
        stores = state.region(record.account, record.region).custom_key_stores
        store = stores.get(str(record.params.get("CustomKeyStoreId")))
        if store is not None:
            data["customKeyStoreName"] = store.name
            if "CloudHsmClusterId" in store.settings:
                data["clusterId"] = store.settings["CloudHsmClusterId"]
    if record.operation == "RetireGrant" and "GrantId" in record.params:
        data["grantId"] = record.params["GrantId"]
    recipient = _recipient(record)
    return data if recipient is None else data | {"recipient": recipient}


def _material(record: CallRecord, result: Mapping[str, Any]) -> Event:
    """Return the key material that was used."""
    data: Event = {}
    if record.operation not in tables.ANSWERS:
        data = {name: result[member] for member, name in _MATERIAL if member in result}
    key = record.key
    if record.operation == "Encrypt" and key is not None and key.spec.key_type == "symmetric":
        data["keyMaterialId"] = None if key.current is None else key.current.id
    return data


_MATERIAL = (
    ("KeyMaterialId", "keyMaterialId"),
    ("SourceKeyMaterialId", "sourceKeyMaterialId"),
    ("DestinationKeyMaterialId", "destinationKeyMaterialId"),
)


def _recipient(record: CallRecord) -> Event | None:
    """Return the logged part of an attestation document: the enclave's module and image."""
    given = record.params.get("Recipient")
    document = given.get("AttestationDocument") if isinstance(given, Mapping) else None
    if not isinstance(document, bytes):
        return None
    from pytest_kmsmock._kms.attestation.document import InvalidAttestation, parse_attestation

    try:
        attestation = parse_attestation(document, at=record.time)
    except InvalidAttestation:
        return None
    shown = {"attestationDocumentModuleId": attestation.module_id}
    if attestation.kind == "NitroEnclave" and 0 in attestation.pcrs:
        shown["attestationDocumentEnclaveImageDigest"] = attestation.pcrs[0].hex()
    return shown


def _shown_targets(record: CallRecord) -> list[Target]:
    """Return the targets that are resources of the call: not those in other Regions, of UpdateAlias not the old key."""
    targets = [target for target in record.targets if target.region in (None, record.region)]
    if record.operation == "UpdateAlias":
        targets = [target for target in targets if target.key is None or target.parameter == "TargetKeyId"]
    if record.operation in tables.KEY_FIRST:
        targets.sort(key=lambda target: target.key is None)
    return targets


def _resources(record: CallRecord, result: Mapping[str, Any] | None) -> list[Event]:
    if record.operation == "CreateKey":
        return [] if result is None else [_resource(result["KeyMetadata"]["Arn"])]
    arns = dict.fromkeys(target.arn for target in _shown_targets(record))
    return [_resource(arn) for arn in arns if parse_arn(arn) is not None]


def _resource(arn: str) -> Event:
    parts = parse_arn(arn)
    assert parts is not None, arn
    return {"accountId": parts.account, "type": "AWS::KMS::Key", "ARN": arn}


def _time(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _java_time(when: datetime) -> str:
    """Return a time in the format of requests and responses: `May 21, 2025, 5:47:45 AM`."""
    moment = when.astimezone(timezone.utc)
    half = "AM" if moment.hour < 12 else "PM"
    month = _MONTHS[moment.month - 1]  # strftime would depend on the locale
    return f"{month} {moment.day}, {moment.year}, {moment.hour % 12 or 12}:{moment:%M:%S} {half}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
