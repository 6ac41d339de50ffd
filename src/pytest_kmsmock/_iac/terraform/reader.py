"""Plans, states and state files to resources, and these to records of `model`.

See https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_kmsmock._runtime.checks import ACCOUNT_ID, REGION
from pytest_kmsmock.errors import InvalidSeed

from ..model import Item, Stack, Unknown
from ..policies import mentions_kms
from .plan import Values
from .resource import Declared, Resource
from .resources import RESOURCES

_FORMAT = "1."
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):(\d{12}):")
#: Types of KMS and IAM that do not affect permissions.
_WITHOUT_PERMISSIONS = frozenset({
    "aws_iam_access_key", "aws_iam_account_alias", "aws_iam_account_password_policy", "aws_iam_instance_profile",
    "aws_iam_openid_connect_provider", "aws_iam_saml_provider", "aws_iam_server_certificate",
    "aws_iam_service_linked_role", "aws_iam_user_login_profile", "aws_iam_user_ssh_key",
    "aws_iam_role_policies_exclusive", "aws_iam_role_policy_attachments_exclusive", "aws_kms_ciphertext",
})  # fmt: skip


def read(file: str, content: Mapping[str, Any], stack: Stack, unknowns: list[Unknown]) -> Iterator[Item]:
    """Yield the records of a file.

    Args:
        file: its path.
        content: what it says.
        stack: default account and Region.
        unknowns: a list to add what was not understood to.

    Raises:
        InvalidSeed: it is of a format that this release does not know.
    """
    version = content.get("format_version")
    if version is not None and not str(version).startswith(_FORMAT):
        raise InvalidSeed(f"{file}:1: format_version {version} is not supported; this release reads 1.x")
    if "planned_values" in content:
        resources = {resource.address: resource for resource in _planned(content)}
    elif "values" in content:
        resources = {resource.address: resource for resource in _module(content["values"].get("root_module") or {})}
    else:
        resources = {resource.address: resource for resource in _state_file(file, content)}
    here = _default_stack(content, resources.values(), stack)
    configuration = content.get("configuration") or {}
    values = Values(resources, configuration, content.get("variables") or {}, file, here, unknowns.append)
    for resource in resources.values():
        if not resource.is_data and resource.kind.startswith("aws_"):
            get = functools.partial(values.get, resource)
            yield from _items(Declared(resource, get, file, here, unknowns.append))


def _items(declared: Declared) -> Iterable[Item]:
    kind = declared.resource.kind
    if kind in RESOURCES:
        return RESOURCES[kind](declared)
    if kind.startswith(("aws_kms_", "aws_iam_")):
        if kind not in _WITHOUT_PERMISSIONS:
            declared.unknown(f"{kind} is not supported: it has no effect here")
    elif mentions_kms(declared.resource.values):
        declared.unknown(f"{kind} affects permissions on KMS, and has no effect here")
    else:
        for name in sorted(declared.resource.values):
            if "kms" in name and declared.resource.values[name]:
                declared.unknown(f"{name} of {kind} has no effect here", decides=False)
    return ()


def _module(module: Mapping[str, Any], **more: Any) -> Iterator[Resource]:
    """Yield the resources of a module and of those in it."""
    address = module.get("address") or ""
    for entry in module.get("resources") or ():
        yield Resource(
            entry["address"], entry["type"], entry["name"], address, entry.get("index"), entry.get("mode") == "data",
            entry.get("values") or {}, **more,
        )  # fmt: skip
    for child in module.get("child_modules") or ():
        yield from _module(child)


def _planned(content: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield what there will be, and the data sources: those that were read, and those to be read on apply."""
    configured = dict(_configured(content.get("configuration", {}).get("root_module") or {}, ""))
    changes = {change["address"]: change for change in content.get("resource_changes") or ()}
    prior = (content.get("prior_state") or {}).get("values") or {}
    read_before = {
        resource.address: resource for resource in _module(prior.get("root_module") or {}) if resource.is_data
    }
    planned = _module(content["planned_values"].get("root_module") or {})
    for resource in {**read_before, **{each.address: each for each in planned}, **_read_on_apply(changes)}.values():
        change = (changes.get(resource.address) or {}).get("change") or {}
        expressions = configured.get((_bare(resource.module), resource.is_data, resource.kind, resource.name)) or {}
        unknown = change.get("after_unknown")
        after = change.get("after")
        yield Resource(
            resource.address, resource.kind, resource.name, resource.module, resource.index, resource.is_data,
            after if isinstance(after, dict) else resource.values, unknown if isinstance(unknown, dict) else {},
            expressions,
        )  # fmt: skip


def _read_on_apply(changes: Mapping[str, Any]) -> dict[str, Resource]:
    return {
        address: Resource(
            address, change["type"], change["name"], change.get("module_address") or "", change.get("index"), True
        )
        for address, change in changes.items()
        if change.get("mode") == "data"
    }


def _configured(module: Mapping[str, Any], address: str) -> Iterator[tuple[tuple[str, bool, str, str], Any]]:
    """Yield what the configuration says of each resource, by module, mode, type and name."""
    for entry in module.get("resources") or ():
        place = (address, entry.get("mode") == "data", entry["type"], entry["name"])
        yield place, entry.get("expressions") or {}
    for name, call in (module.get("module_calls") or {}).items():
        yield from _configured(call.get("module") or {}, f"{address}{'.' if address else ''}module.{name}")


def _bare(module: str) -> str:
    """Return the address of a module without the keys of instances."""
    return re.sub(r"\[[^\]]*\]", "", module)


def _state_file(file: str, content: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the resources of a `terraform.tfstate`."""
    if content.get("version") != 4:
        raise InvalidSeed(
            f"{file}:1: this is not a state file of version 4: write it again with `terraform show -json`"
        )
    for entry in content.get("resources") or ():
        module = entry.get("module") or ""
        is_data = entry.get("mode") == "data"
        for instance in entry.get("instances") or ():
            key = instance.get("index_key")
            number = "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
            start = f"{module}{'.' if module else ''}{'data.' if is_data else ''}"
            yield Resource(
                f"{start}{entry['type']}.{entry['name']}{number}", entry["type"], entry["name"], module, key, is_data,
                instance.get("attributes") or {},
            )  # fmt: skip


def _default_stack(content: Mapping[str, Any], resources: Iterable[Resource], stack: Stack) -> Stack:
    """Return the default account and Region: of the provider, and of known ARNs."""
    provider = ((content.get("configuration") or {}).get("provider_config") or {}).get("aws") or {}
    region = ((provider.get("expressions") or {}).get("region") or {}).get("constant_value")
    account = None
    regions: Counter[str] = Counter()
    for resource in resources:
        if resource.is_data and resource.kind == "aws_caller_identity":
            said = str(resource.values.get("account_id"))
            account = said if re.fullmatch(ACCOUNT_ID, said) else account
        if resource.is_data and resource.kind == "aws_region":
            region = resource.values.get("region") or resource.values.get("name") or region
        found = _ARN.match(str(resource.values.get("arn") or ""))
        if found is not None:
            account = account or found[2]
            regions.update([found[1]] if found[1] else [])
    if region is None and regions:  # a state does not say which Region its provider is set to
        region = regions.most_common(1)[0][0]
    here = region if isinstance(region, str) and re.fullmatch(REGION, region) else stack.region
    return stack._replace(account=account or stack.account, region=here)
