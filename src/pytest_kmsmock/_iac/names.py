"""Names, ids and ARNs that AWS generates when it deploys: here they are derived from the stack and the resource.

So they are the same in every run, in AWS's format.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from .model import Stack

#: What the ARNs of placeholders for unknown values have.
PLACEHOLDER = ":placeholder:::"

#: ARNs by kind of resource. `{name}` may have a path before it where IAM has paths.
ARNS: Mapping[str, str] = {
    "cluster": "arn:{partition}:ecs:{region}:{account}:cluster/{name}",
    "function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "group": "arn:{partition}:iam::{account}:group{path}{name}",
    "key": "arn:{partition}:kms:{region}:{account}:key/{name}",
    "log-group": "arn:{partition}:logs:{region}:{account}:log-group:{name}",
    "parameter": "arn:{partition}:ssm:{region}:{account}:parameter/{bare}",
    "policy": "arn:{partition}:iam::{account}:policy{path}{name}",
    "bucket": "arn:{partition}:s3:::{name}",
    "queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "queue-url": "https://sqs.{region}.{suffix}/{account}/{name}",
    "role": "arn:{partition}:iam::{account}:role{path}{name}",
    "secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{random}",
    "stream": "arn:{partition}:kinesis:{region}:{account}:stream/{name}",
    "table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "user": "arn:{partition}:iam::{account}:user{path}{name}",
}


def fill(form: str, stack: Stack, name: str, path: str = "/") -> str:
    """Return an ARN or another name, of a form such as those of `ARNS`."""
    return form.format(
        partition=stack.partition, region=stack.region, account=stack.account, suffix=suffix(stack),
        name=name, path=path, bare=name.lstrip("/"), random=_letters(stack, name)[:6],
    )  # fmt: skip


def arn(kind: str, stack: Stack, name: str, path: str = "/") -> str:
    """Return the ARN of a resource of a kind."""
    return fill(ARNS[kind], stack, name, path)


def suffix(stack: Stack) -> str:
    """Return the domain of the partition's endpoints."""
    return "amazonaws.com.cn" if stack.partition == "aws-cn" else "amazonaws.com"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _letters(stack: Stack, name: str) -> str:
    return base64.b32encode(_digest(stack.account, stack.region, stack.name, name)).decode().replace("=", "")


def physical_name(stack: Stack, logical_id: str, max_length: int = 64) -> str:
    """Return the name that CloudFormation generates: stack, logical id and a random part.

    See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-view-stack-data-resources.html
    """
    made_up = _letters(stack, logical_id)[:12]
    return f"{f'{stack.name}-{logical_id}'[: max_length - 13]}-{made_up}"


def key_id(stack: Stack, name: str, *, multi_region: bool = False) -> str:
    """Return the id of a key."""
    digest = _digest("key", stack.account, stack.region, stack.name, name).hex()
    if multi_region:
        return f"mrk-{digest[:32]}"
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
