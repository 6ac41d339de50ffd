"""The table of a service: which of its operations makes which KMS calls, as which caller, with which key.

A service is a `Service`: for each operation a `Rule` with the steps that come before and after the service acts. A
`Step` finds the resources that the service encrypts (`Protected`) and names the KMS operations. To add a service, add a
module with a `SERVICE` and a row in `options.SERVICES`.

```python
SERVICE = Service(
    "sqs",
    {
        "SendMessage": Rule(before=(Step(_queue, (GENERATE_DATA_KEY, DECRYPT)),)),
        "ReceiveMessage": Rule(after=(Step(_received, (DECRYPT,)),)),
    },
    ERRORS,
)
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from .error_mapping import ErrorMapping, ServiceError
    from .protected import DataKey, Protected
    from .request import Request


class Kms(Record):
    """A KMS operation that a service calls.

    The engine adds the key, the encryption context or the ciphertext, whichever the operation takes.

    Attributes:
        operation: its name.
        params: the other parameters, which are always the same.
    """

    operation: str
    params: Mapping[str, object] = {}  # never changed


GENERATE_DATA_KEY = Kms("GenerateDataKey", {"KeySpec": "AES_256"})
GENERATE_WITHOUT_PLAINTEXT = Kms("GenerateDataKeyWithoutPlaintext", {"KeySpec": "AES_256"})
DECRYPT = Kms("Decrypt")
ENCRYPT = Kms("Encrypt")
DESCRIBE_KEY = Kms("DescribeKey")

CREATE_GRANT = Kms("CreateGrant")
RETIRE_GRANT = Kms("RetireGrant")

#: Finds the resources of an operation; none if KMS is not called.
Find: TypeAlias = "Callable[[Request], Iterable[Protected]]"
#: Returns the caller of KMS.
Who: TypeAlias = "Callable[[Request, Protected], Caller]"
#: Takes the result of a step: the data key that is new or was decrypted, else one under the step's key.
Then: TypeAlias = "Callable[[Request, Protected, DataKey], None]"


def forwarded(request: Request, protected: Protected) -> Caller:  # noqa: ARG001 - a `Who`
    """Return the caller of the service in a forward access session: the service calls KMS for it."""
    return request.forwarded


def unchanged(request: Request, _error: ServiceError) -> dict[str, Any]:
    """Keep the successful response (`Step.on_error`): the service does this later, and the caller gets no error."""
    return {name: value for name, value in request.answer.items() if name != "ResponseMetadata"}


def as_service(name: str) -> Who:
    """Return a `Who` for a service that calls KMS as a service principal: only the key policy can allow it.

    Args:
        name: the service principal without its domain, such as `sns`.
    """
    principal = Principal.parse(f"{name}.amazonaws.com")

    def who(_request: Request, protected: Protected) -> Caller:
        arn, account = protected.source
        given = {"aws:sourcearn": arn, "aws:sourceaccount": account}
        return Caller(principal, protected.account, context={key: (value,) for key, value in given.items() if value})

    return who


@dataclass(frozen=True, slots=True)
class Step:
    """KMS calls that a service makes for one operation.

    Attributes:
        find: finds the resources.
        kms: the KMS operations, in order. A Decrypt after a GenerateDataKey decrypts the new data key, any other the
            data key that is stored for the resource.
        who: returns the caller of KMS.
        then: takes the data key of each resource when KMS has allowed all calls.
        errors: the error mapping of this step, if it is not that of the service.
        on_error: returns the members of a successful response where the service returns no error to the caller; else
            None.
        rollback: reverts what the service has done, where KMS is called after the service acts.
    """

    find: Find
    kms: tuple[Kms, ...]
    who: Who = forwarded
    then: Then | None = None
    errors: ErrorMapping | None = None
    on_error: Callable[[Request, ServiceError], dict[str, Any] | None] | None = None
    rollback: Callable[[Request], object] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The KMS calls of an operation of a service.

    Attributes:
        before: steps before the service acts; it does not act if KMS refuses one.
        after: steps after a successful response; if KMS refuses one, an error replaces the response.
        answered: completes a successful response and stores data keys.
    """

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    answered: Callable[[Request], None] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service that calls KMS.

    Attributes:
        name: its name in `kms:ViaService`.
        rules: operation -> its rule. Other operations never call KMS.
        errors: the errors of the service for those of KMS.
        prepare: called with its name once, when it is first used beside moto.
    """

    name: str
    rules: Mapping[str, Rule] = field(repr=False)
    errors: ErrorMapping = field(repr=False)
    prepare: Callable[[str], None] | None = None
