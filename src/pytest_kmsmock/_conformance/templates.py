"""Values of scenarios: references to earlier answers, and generated values.

A reference is `<name>` or `<name.Member.0.Path>`. `name` is what a step calls its answer (`as`), one of `BUILT_IN`, or
a principal. `<key>` is short for `<key.KeyId>`; members of KeyMetadata and ReplicaKeyMetadata can be named directly.
A generated value is a mapping with one name that begins with `$`, such as `{$bytes: 32}`; `GENERATORS` has them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pytest_kmsmock._runtime.checks import did_you_mean

from . import key_material

#: What every scenario can refer to: the account, Regions and partition of the target, the ARN of who runs it, a string
#: that no other run has, and ids of a key and of a key store that do not exist; of a target that has key stores, what
#: CreateCustomKeyStore takes for an active cluster and for a proxy with a key `external-key`.
BUILT_IN = (
    "account",
    "region",
    "other_region",
    "partition",
    "caller",
    "unique",
    "absent_key",
    "absent_store",
    "cluster",
    "proxy",
)

_REFERENCE = re.compile(r"<([a-z_]\w*)((?:\.\w+)*)>")
_METADATA = ("KeyMetadata", "ReplicaKeyMetadata")
_HASHES = {"SHA_224": hashlib.sha224, "SHA_256": hashlib.sha256, "SHA_384": hashlib.sha384, "SHA_512": hashlib.sha512}


class Unresolved(LookupError):
    """A step refers to an answer that does not exist, or of which nothing can be generated."""


def _changed(blob: bytes) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


def _hashed(given: Any) -> bytes:
    name, text = given
    return _HASHES[name](text if isinstance(text, bytes) else text.encode()).digest()


def _numbered(given: Any) -> list[Any]:
    count, pattern = given
    return [{name: text.replace("#", str(place)) for name, text in pattern.items()} for place in range(count)]


#: Generated values that depend on their arguments only.
GENERATORS: Mapping[str, Callable[[Any], Any]] = {
    "$bytes": lambda count: bytes(place % 256 for place in range(count)),  # so many bytes, the same ones each time
    "$base64": base64.b64decode,
    "$changed": _changed,  # a blob with another last bit
    "$digest": _hashed,  # [SHA_256, text]
    "$repeat": lambda given: given[0] * given[1],  # [text or list, times]
    "$numbered": _numbered,  # [how many, a mapping whose strings have # for the number]
    "$json": lambda value: json.dumps(value),
    "$lines": lambda lines: "\n".join(lines),  # so that the layout of a policy can be seen
    "$material": key_material.material,  # [key spec, name]: key material in the form that is imported
    "$ber": key_material.ber,  # a DER structure with indefinite length
    "$wrapped": key_material.wrap,  # {material, params: answer of GetParametersForImport, algorithm}
    "$public_key": key_material.public_key,  # curve: the public key of another party
}
#: A time, given as its distance from now.
_TIME_FROM_NOW = "$in"
#: Matchers that expected values may contain; see `matching`.
MATCHERS = frozenset(
    {
        "$type",
        "$length",
        "$matches",
        "$contains",
        "$members",
        "$absent",
        "$any_order",
        "$sorted_by",
        "$around",
        "$base64_starts",
    }
)


def check(value: Any, known: Iterable[str]) -> None:
    """Check the references and generated values in a value.

    Raises:
        ValueError: with the reason.
    """
    if isinstance(value, str):
        for name, _ in _REFERENCE.findall(value):
            if name not in known:
                raise ValueError(f"<{name}> refers to no earlier step.{did_you_mean(name, known)}")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name.startswith("$") and name not in GENERATORS and name not in MATCHERS and name != _TIME_FROM_NOW:
                raise ValueError(
                    f"Unknown generated value {name!r}.{did_you_mean(name, [*GENERATORS, *MATCHERS, _TIME_FROM_NOW])}"
                )
            check(inner, known)
    elif isinstance(value, list | tuple):
        for inner in value:
            check(inner, known)


def resolve(value: Any, answers: Mapping[str, Any], now: Callable[[], datetime]) -> Any:
    """Return a value with its references and generated values replaced.

    Args:
        value: the value.
        answers: earlier answers by name, and `BUILT_IN`.
        now: tells the time.

    Raises:
        Unresolved: it refers to what is not there, or a value cannot be generated.
    """
    if isinstance(value, str):
        return _resolve_text(value, answers)
    if isinstance(value, list | tuple):
        return [resolve(inner, answers, now) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name == _TIME_FROM_NOW:
            return now().replace(microsecond=0) + timedelta(**inner)
        if name in GENERATORS:
            return _generated(name, resolve(inner, answers, now))
    return {name: resolve(inner, answers, now) for name, inner in value.items()}


def _generated(name: str, given: Any) -> Any:
    try:
        return GENERATORS[name](given)
    except Exception as error:  # a target may answer anything, such as a PublicKey that is none
        raise Unresolved(f"{name} cannot be generated: {error!r}") from error


def _resolve_text(text: str, answers: Mapping[str, Any]) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return _look_up(whole, answers)
    return _REFERENCE.sub(lambda found: str(_look_up(found, answers)), text)


def _look_up(found: re.Match[str], answers: Mapping[str, Any]) -> Any:
    name, path = found.groups()
    try:
        value = answers[name]
        if isinstance(value, Mapping):
            parts = re.findall(r"\w+", path) or ["KeyId"]
            value = next((value[each] for each in _METADATA if each in value and parts[0] in value[each]), value)
            for part in parts:
                value = value[int(part)] if part.isdigit() else value[part]
    except (LookupError, TypeError) as error:
        raise Unresolved(f"{found.group()} is missing") from error
    return value
