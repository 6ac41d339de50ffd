"""The path of one call, the same for every operation. Start reading here."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._kms.api.validation import reader
from pytest_kmsmock._kms.call.consistency import ChangeRecorder
from pytest_kmsmock._kms.call.operation import OPERATIONS, Call, Operation, Result, Target
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.permissions.access import authorize
from pytest_kmsmock._kms.rules.custom_key_stores import check_backing_key_store
from pytest_kmsmock._kms.rules.key_states import key_state
from pytest_kmsmock._kms.rules.timeline import settle
from pytest_kmsmock._kms.state.records import Key, LastUsage


def find_operation(name: str) -> Operation:
    """Return an operation by its name.

    Raises:
        KmsError: `UnknownOperationException`; with a message of this package if the installed botocore knows the
            operation and this release does not.
    """
    operation = OPERATIONS.get(name)
    if operation is None:
        load(name)
        operation = OPERATIONS.get(name)
    if operation is None:
        raise (
            errors.OPERATION_NOT_IMPLEMENTED(operation=name)
            if name in operation_names()
            else errors.UNKNOWN_OPERATION()
        )
    return operation


def perform(call: Call) -> Result:
    """Execute a call and return its response.

    The order of the steps is AWS's: requests are validated before resources are looked up, and a caller without
    permission does not learn the key's state. Calls are executed one at a time: threads share a mock.

    Raises:
        KmsError: AWS's error; nothing has changed but what was due, and that AWS managed keys that the call names exist
            now.
    """
    with call.service.lock:
        operation = call.operation
        if call.state.timeline:
            settle(call.service, call.now, operation.keeps_transition)
        call.params = reader(operation.name)(call.params)
        targets: list[Target] = []
        for find in operation.targets:
            targets += find(call)
            call.targets = tuple(targets)
        for target in targets:
            authorize(call, target)
        call.authorized = True
        if operation.check_request is not None:
            operation.check_request(call)
        for target in targets:
            if target.key is not None:
                _check_key(call, target.key, target.permission)
        # Seeds are created without policy enforcement, and are consistent at once.
        recorder = (
            ChangeRecorder(call) if call.service.delays.eventual_consistency and call.service.enforce_policies else None
        )
        result = operation.run(call)  # ends a dry run after all checks
        if recorder is not None:
            recorder.record_changes()
        if operation.cryptographic:
            _record_usage(call)
        return result


def _check_key(call: Call, key: Key, permission: str) -> None:
    """Check key manager, KeyUsage, key state and custom key store of a target key."""
    operation = call.operation
    if operation.customer_managed and key.manager == "AWS":
        raise errors.MANAGED_KEY(caller=call.caller.arn, action=permission, arn=key.arn)
    if operation.usage is not None and key.usage != operation.usage:
        raise errors.USAGE_NOT_VALID(arn=key.arn, usage=key.usage, operation=operation.name)
    if operation.states:
        error = operation.states.get(key_state(key, call.state))
        if error is not None:
            raise error(arn=key.arn)
    if operation.cryptographic:
        check_backing_key_store(key, call.state)


def _record_usage(call: Call) -> None:
    usage = LastUsage(call.operation.name, call.now, call.request_id)
    for target in call.targets:
        key = target.key
        assert key is not None, target  # cryptographic operations have target keys only
        call.state.home(key).last_usage[key.id] = usage
