"""What is written down of a service: which of its operations makes which KMS calls, as whom, with which key.

A service is a `Service`: for each operation a `Rule` with the steps that come before and after the service acts. A
`Step` finds what the service protects with a key (`Protected`) and names the KMS operations. To add a service, add a
module with a `SERVICE` and a row in `options.SERVICES`.

```python
SERVICE = Service(
    "sqs",
    {
        "SendMessage": Rule(before=(Step(_queue, (GENERATE_DATA_KEY, DECRYPT)),)),
        "ReceiveMessage": Rule(after=(Step(_received, (DECRYPT,)),)),
    },
    REFUSALS,
)
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller

if TYPE_CHECKING:
    from .protected import DataKey, Protected
    from .request import Request
    from .wording import Refusals, ServiceError


class Kms(NamedTuple):
    """A KMS operation that a service calls.

    The key, the encryption context or the ciphertext are filled in as the operation takes them.

    Attributes:
        operation: its name.
        params: the other parameters that the service always gives.
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

#: Finds what an operation is about; nothing if KMS is not called.
Find: TypeAlias = "Callable[[Request], Iterable[Protected]]"
#: Says who calls KMS.
Who: TypeAlias = "Callable[[Request, Protected], Caller]"
#: Takes what came of a step: the data key, or of operations that make none, what is remembered.
Then: TypeAlias = "Callable[[Request, Protected, DataKey], None]"


def forwarded(request: Request, protected: Protected) -> Caller:  # noqa: ARG001 - a `Who`
    """Let the caller of the service call KMS through it: a forward access session."""
    return request.forwarded


def unchanged(request: Request, _error: ServiceError) -> dict[str, Any]:
    """Leave the answer as it is (`Step.instead`): what KMS refuses later, whoever asked is not told."""
    return {name: value for name, value in request.answer.items() if name != "ResponseMetadata"}


def as_service(name: str) -> Who:
    """Return what lets a service call KMS by itself, on behalf of a resource: only the key policy lets it in.

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
        find: what it is about.
        kms: the KMS operations, in their order. A Decrypt after a GenerateDataKey decrypts what that made, any other
            the data key that is remembered under the name of what is protected.
        who: who calls KMS.
        then: what is done with each data key when all calls have been allowed.
        refusals: how the service words refusals here, if not as elsewhere.
        instead: makes the members of a successful answer of a refusal, where the service does not answer with an error.
        undo: takes back what the service has done, where KMS is called for what is there already, and refuses.
    """

    find: Find
    kms: tuple[Kms, ...]
    who: Who = forwarded
    then: Then | None = None
    refusals: Refusals | None = None
    instead: Callable[[Request, ServiceError], dict[str, Any]] | None = None
    undo: Callable[[Request], object] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation of a service does with KMS.

    Attributes:
        before: steps before the service acts: a refusal keeps it from acting.
        after: steps when the service has answered with success: a refusal takes the answer's place.
        answered: completes the answer of the service and remembers what it tells.
    """

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    answered: Callable[[Request], None] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service that calls KMS.

    Attributes:
        name: its name in `kms:ViaService`.
        rules: operation -> its rule. Other operations call KMS never.
        refusals: how it words refusals of KMS.
        prepare: is called with its name once, when it is first used beside moto.
    """

    name: str
    rules: Mapping[str, Rule] = field(repr=False)
    refusals: Refusals = field(repr=False)
    prepare: Callable[[str], None] | None = None
