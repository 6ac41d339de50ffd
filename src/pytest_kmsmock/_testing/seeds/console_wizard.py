"""The console's create-key wizard: its questions, its defaults, and the key that it creates.

See https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._runtime.checks import check_type
from pytest_kmsmock._testing.identity.credentials import Home
from pytest_kmsmock._testing.policies.key_policy import key_policy, principal_arns
from pytest_kmsmock.errors import InvalidSeed

from .key_seed import seed_of
from .planting import only, plant

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key

_WHERE = "create_key_as_in_console()"
#: "Key usage" of a symmetric key -> the default spec of the wizard.
_SYMMETRIC: Mapping[str, str] = {"ENCRYPT_DECRYPT": "SYMMETRIC_DEFAULT", "GENERATE_VERIFY_MAC": "HMAC_256"}


@dataclass(frozen=True, slots=True)
class Answers:
    """The input of the wizard; `KmsMock.create_key_as_in_console` describes it."""

    alias: str
    key_type: str
    usage: str
    spec: str | None
    origin: str
    multi_region: bool
    description: str
    tags: Mapping[str, str] | None
    administrators: str | Iterable[str]
    users: str | Iterable[str]
    other_accounts: str | Iterable[str]
    allow_deletion: bool
    region: str


def create_key(service: FakeKms, home: Home, answers: Answers) -> Key:
    """Create the key.

    Args:
        service: the fake KMS.
        home: the mock's account and partition.
        answers: the input.

    Raises:
        InvalidSeed: the wizard would refuse the key.
    """
    for name in ("alias", "usage", "spec", "region"):
        if name != "spec" or answers.spec is not None:
            check_type(getattr(answers, name), str, f"{_WHERE}: {name}", "a string", InvalidSeed)
    for name in ("allow_deletion", "multi_region"):
        check_type(getattr(answers, name), bool, f"{_WHERE}: {name}", error=InvalidSeed)
    spec = _spec(answers)
    home = home._replace(partition=partition_of(answers.region))
    administrators, users = (principal_arns(names, home) for names in (answers.administrators, answers.users))
    strangers = [arn for arn in (*administrators, *users) if arn.split(":")[4] != home.account]
    if strangers:
        raise InvalidSeed(
            f"{_WHERE}: key administrators and users must be of the key's own account, not {strangers[0]}. "
            "Use other_accounts for other accounts."
        )
    policy = key_policy(
        home.account,
        home.partition,
        administrators=administrators,
        users=users,
        other_accounts=answers.other_accounts,
        allow_deletion=answers.allow_deletion,
        key_usage=answers.usage,
        key_spec=spec,
        origin=answers.origin,
        multi_region=answers.multi_region,
    )
    given = {"alias": answers.alias, "spec": spec, "usage": answers.usage, "origin": answers.origin,
             "description": answers.description, "tags": answers.tags, "policy": policy,
             "multi_region": answers.multi_region}  # fmt: skip
    return plant(service, [(only(_WHERE), seed_of(given, _WHERE))], account=home.account, region=answers.region)[0]


def _spec(answers: Answers) -> str:
    """Return the chosen or the default spec.

    Raises:
        InvalidSeed: an unknown spec, or it does not fit other input.
    """
    if answers.key_type not in ("symmetric", "asymmetric"):
        raise InvalidSeed(f"{_WHERE}: key_type is 'symmetric' or 'asymmetric', not {answers.key_type!r}")
    symmetric = answers.key_type == "symmetric"
    spec = _SYMMETRIC.get(answers.usage) if answers.spec is None and symmetric else answers.spec
    if spec is None:
        raise InvalidSeed(f"{_WHERE}: a key of type {answers.key_type} for {answers.usage} needs a spec")
    if spec not in KEY_SPECS or (KEY_SPECS[spec].key_type == "asymmetric") is symmetric:
        raise InvalidSeed(f"{_WHERE}: {spec} is not a spec of a key of type {answers.key_type}")
    if answers.usage not in KEY_SPECS[spec].usages:
        raise InvalidSeed(f"{_WHERE}: the usage of {spec} is {' or '.join(KEY_SPECS[spec].usages)}")
    if answers.origin not in ("AWS_KMS", "EXTERNAL"):
        raise InvalidSeed(f"{_WHERE}: origin is 'AWS_KMS' or 'EXTERNAL', not {answers.origin!r}")
    return spec
