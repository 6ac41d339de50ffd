"""Attributes that are known only after apply: a table of formats by resource type.

Source: "Attribute Reference" of each resource in https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Stack
from ..names import ARNS, fill, key_id, physical_name

_NAME = "{name}"


def _forms(kind: str, *also_arn: str, plain: tuple[str, ...] = ("id",)) -> dict[str, str]:
    """Return the forms of a type whose ARN is of a kind; `plain` are attributes that are its name."""
    return dict.fromkeys(("arn", *also_arn), ARNS[kind]) | dict.fromkeys(plain, _NAME)


#: Type -> the attribute that names it, and the forms of its computed attributes.
COMPUTED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws_kms_key": ("", _forms("key", plain=("id", "key_id"))),
    "aws_kms_external_key": ("", _forms("key", plain=("id", "key_id"))),
    "aws_kms_replica_key": ("", _forms("key", plain=("id", "key_id"))),
    "aws_kms_replica_external_key": ("", _forms("key", plain=("id", "key_id"))),
    "aws_kms_alias": ("name", {"arn": "arn:{partition}:kms:{region}:{account}:{name}", "id": _NAME}),
    "aws_kms_custom_key_store": ("custom_key_store_name", {"id": _NAME}),
    "aws_iam_role": ("name", _forms("role") | {"unique_id": "AROA{random}EXAMPLE"}),
    "aws_iam_user": ("name", _forms("user")),
    "aws_iam_group": ("name", _forms("group")),
    "aws_iam_policy": ("name", _forms("policy", "id", plain=())),
    "aws_s3_bucket": ("bucket", _forms("bucket")),
    "aws_sqs_queue": ("name", {"arn": ARNS["queue"], "id": ARNS["queue-url"], "url": ARNS["queue-url"]}),
    "aws_sns_topic": ("name", _forms("topic", "id", plain=())),
    "aws_secretsmanager_secret": ("name", _forms("secret", "id", plain=())),
    "aws_ssm_parameter": ("name", _forms("parameter")),
    "aws_dynamodb_table": ("name", _forms("table")),
    "aws_cloudwatch_log_group": ("name", _forms("log-group")),
    "aws_kinesis_stream": ("name", _forms("stream", "id", plain=())),
    "aws_lambda_function": ("function_name", _forms("function", "invoke_arn")),
}


def computed(kind: str, attribute: str, address: str, values: Mapping[str, Any], stack: Stack) -> str | None:
    """Return a computed attribute of a resource that is not there yet; None if there is no form of it.

    Args:
        kind: its type.
        attribute: the attribute.
        address: its address.
        values: what is known of it.
        stack: where it is.
    """
    named_by, forms = COMPUTED.get(kind, ("", {}))
    name = _name(kind, named_by, address, values, stack)
    if attribute == named_by:
        return name
    form = forms.get(attribute)
    return None if form is None else fill(form, stack, name, str(values.get("path") or "/"))


def _name(kind: str, named_by: str, address: str, values: Mapping[str, Any], stack: Stack) -> str:
    if kind.startswith("aws_kms_replica_"):
        return str(values.get("primary_key_arn") or "").rpartition("/")[2]
    if kind in ("aws_kms_key", "aws_kms_external_key"):
        return key_id(stack, address, multi_region=bool(values.get("multi_region")))
    given = values.get(named_by)
    if isinstance(given, str):
        return given
    prefix = values.get(f"{named_by}_prefix") or "terraform-"
    return f"{prefix}{physical_name(stack, address).rpartition('-')[2].lower()}"
