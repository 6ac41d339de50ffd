"""The path of one call, the same for every operation. Start reading here."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._kms.api.validation import reader
from pytest_kmsmock._kms.call.consistency import Watch
from pytest_kmsmock._kms.call.operation import OPERATIONS, Call, Operation, Result, Target
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.permissions.access import authorize
from pytest_kmsmock._kms.rules.custom_key_stores import check_backing
from pytest_kmsmock._kms.rules.key_states import key_state
from pytest_kmsmock._kms.rules.timeline import settle
from pytest_kmsmock._kms.state.records import Key, LastUsage


def find_operation(name: str) -> Operation:
    """Return an operation by its name.

    Raises:
        KmsError: `UnknownOperationException`; with a text of ours when the installed botocore knows the operation and
            this release does not.
    """
    operation = OPERATIONS.get(name)
    if operation is None:
        load()
        operation = OPERATIONS.get(name)
    if operation is None:
        raise (
            errors.OPERATION_NOT_IMPLEMENTED(operation=name)
            if name in operation_names()
            else errors.UNKNOWN_OPERATION()
        )
    return operation


def perform(call: Call) -> Result:
    """Carry out a call and return the members of its answer.

    The order of the steps is AWS's: a malformed request is refused before anything is looked up, a caller without
    permission learns nothing of the key's state. One call is carried out at a time: threads share a mock.

    Raises:
        KmsError: whatever AWS would answer; then nothing has changed.
    """
    with call.service.lock:
        operation = call.operation
        if call.state.timeline:
            settle(call.service, call.now, operation.watches)
        call.params = reader(operation.name)(call.params)
        targets: list[Target] = []
        for find in operation.targets:
            targets += find(call)
            call.targets = tuple(targets)
        for target in targets:
            authorize(call, target)
        call.authorized = True
        if operation.before_key is not None:
            operation.before_key(call)
        for target in targets:
            if target.key is not None:
                _check_key(call, target.key, target.permission)
        # What a test begins with is made without policies, and is there at once.
        watch = Watch(call) if call.service.delays.eventual_consistency and call.service.enforce_policies else None
        result = operation.run(call)  # ends a dry run where everything that could refuse it has been looked at
        if watch is not None:
            watch.note_changes()
        if operation.cryptographic:
            _note_use(call)
        return result


def _check_key(call: Call, key: Key, permission: str) -> None:
    """Refuse an operation on a key that is not of the kind or not in the state for it."""
    operation = call.operation
    if operation.customer_managed and key.manager == "AWS":
        raise errors.MANAGED_KEY(caller=call.caller.arn, action=permission, arn=key.arn)
    if operation.usage is not None and key.usage != operation.usage:
        raise errors.USAGE_NOT_VALID(arn=key.arn, usage=key.usage, operation=operation.name)
    if operation.states:
        refusal = operation.states.get(key_state(key, call.state))
        if refusal is not None:
            raise refusal(arn=key.arn)
    if operation.cryptographic:
        check_backing(key, call.state)


def _note_use(call: Call) -> None:
    usage = LastUsage(call.operation.name, call.now, call.request_id)
    for target in call.targets:
        key = target.key
        assert key is not None, target  # what is cryptographic needs permission for keys alone
        call.state.home(key).last_usage[key.id] = usage
