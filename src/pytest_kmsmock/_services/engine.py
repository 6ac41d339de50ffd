"""Executes the table of a service: calls KMS as the service does, and maps errors of KMS to those of the service.

`before` runs the steps that come before the service acts, `after` those that follow its response. Every KMS call goes
through `FakeKms.call`, so that faults, quotas, records and explanations apply as to any other call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import KEY_ID, alias_arn, key_arn
from pytest_kmsmock._kms.api.errors import InjectedError, KmsError
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.state.attached_policies import policy_holder
from pytest_kmsmock._kms.state.delays import end_of

from . import catalog, data_keys, error_mapping
from .error_mapping import Answered, ServiceError
from .protected import DataKey

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.caller import Caller

    from .protected import Protected
    from .request import Request
    from .table import Kms, Step


def before(request: Request) -> None:
    """Run the steps before the service acts.

    Raises:
        ServiceError: KMS refuses a call; the service returns this error and does not act.
    """
    steps = catalog.service(request.service).rules[request.operation].before
    while steps and not _run(request, steps):
        pass


def after(request: Request) -> None:
    """Run the steps after the service's response, and complete the response.

    Raises:
        ServiceError: KMS refuses a call; this error replaces the response.
    """
    rule = catalog.service(request.service).rules[request.operation]
    while rule.after and not _run(request, rule.after):
        pass
    if rule.answered is not None:
        rule.answered(request)


def _run(request: Request, steps: Iterable[Step]) -> bool:
    """Run steps; return False if KMS refuses and the client sends the request again.

    Raises:
        ServiceError: the service returns this error.
        Answered: the service returns no error.
    """
    try:
        for step in steps:
            for protected in step.find(request):
                data_key = call_kms(request, step, protected)
                if step.then is not None:
                    step.then(request, protected, data_key)
    except ServiceError as error:
        answer = None if step.on_error is None else step.on_error(request, error)
        if answer is None and request.is_retried is not None and request.is_retried(request, error):
            return False
        if step.rollback is not None:
            step.rollback(request)
        if answer is None:
            raise
        raise Answered(answer, error.request_id) from None
    return True


def call_kms(request: Request, step: Step, protected: Protected) -> DataKey:
    """Make the KMS calls of a step for one resource.

    Returns:
        The data key that is new, or has been decrypted; of a step without such a call, one under the step's key.

    Raises:
        ServiceError: KMS refuses a call; the following ones are not made.
    """
    caller = step.who(request, protected)
    fake = request.mock.service
    reuse = fake.delays.data_key_reuse if protected.reused_by else 0
    place = _requester(step, protected, caller) if reuse else ()
    data_key: DataKey | None = data_keys.cached(request.mock, place) if reuse else None
    if data_key is not None:
        return data_key
    for kms in step.kms:
        if data_key is None and kms.operation == "Decrypt":
            data_key = _data_key(request, protected, caller)
        result = _perform(request, step, kms, protected, caller, data_key)
        described, blob = result.get("KeyMetadata"), result.get("CiphertextBlob")
        if isinstance(described, Mapping):
            protected = protected._replace(key=described["Arn"])
        elif isinstance(blob, bytes):
            data_key = DataKey(blob, str(result["KeyId"]), protected.context)
            protected = protected._replace(key=data_key.arn)  # the next operations are on the key that was found
    found = data_key or data_keys.substitute(fake, protected, caller.account)
    if reuse:
        data_keys.cache(request.mock, place, found, end_of(fake.clock.now(), reuse))
    return found


def _requester(step: Step, protected: Protected, caller: Caller) -> tuple[object, ...]:
    """Return the cache key of a data key: what the requests that share it have in common."""
    session = caller.arn if protected.reused_by == "session" else policy_holder(caller.principal)
    context, operations = tuple(sorted(protected.context.items())), tuple(kms.operation for kms in step.kms)
    return session, caller.session_policies, caller.via, protected.source[1], operations, protected.key, context


def _data_key(request: Request, protected: Protected, caller: Caller) -> DataKey:
    known = request.kept(protected.name) if protected.name else None
    if known is not None:
        return known
    return data_keys.substitute(request.mock.service, protected, caller.account)


def _perform(
    request: Request, step: Step, kms: Kms, protected: Protected, caller: Caller, data_key: DataKey | None
) -> Mapping[str, object]:  # fmt: skip
    fake = request.mock.service
    request_id = fake.new_request_id()
    params = _params(kms, protected, caller, data_key)
    try:
        return fake.call(kms.operation, params, caller, protected.region, request_id)
    except KmsError as error:
        about = next(iter(protected.context.values()), "")
        seen = error_mapping.as_answer(error) if isinstance(error, InjectedError) else error
        raise (step.errors or catalog.service(request.service).errors).translate(
            seen, request_id, about, protected.key
        ) from None  # fmt: skip
    finally:
        request.delay += request.mock.take_delay()


def _params(kms: Kms, protected: Protected, caller: Caller, data_key: DataKey | None) -> dict[str, Any]:
    shapes = service_description()
    known = shapes["shapes"][shapes["operations"][kms.operation]["input"]["shape"]]["members"]
    params: dict[str, Any] = {}
    if "CiphertextBlob" in known:
        assert data_key is not None, kms
        params["CiphertextBlob"] = data_key.blob
    else:
        params["KeyId"] = _qualified(protected, caller)
    params |= kms.params
    params |= {name: value for name, value in protected.params.items() if name in known}
    if "EncryptionContext" in known and protected.context:
        params["EncryptionContext"] = dict(protected.context)
    return params


def _qualified(protected: Protected, caller: Caller) -> str:
    """Return the key, as an ARN if a bare key id or alias belongs to another account than the caller."""
    key, account = protected.key, protected.account
    if account in ("", caller.account):
        return key
    if key.startswith("alias/"):
        return alias_arn(protected.region, account, key)
    return key_arn(protected.region, account, key) if KEY_ID.fullmatch(key) else key


__all__ = ["ServiceError", "after", "before", "call_kms"]
