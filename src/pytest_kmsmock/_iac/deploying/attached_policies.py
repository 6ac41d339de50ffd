"""Policies of roles and users, collected from all attachments: what IAM would have after the deployment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._testing.identity.policy_text import policy_text
from pytest_kmsmock.errors import InvalidPolicy, InvalidSeed

from ..model import Attachment, Document, Item, ManagedPolicy, Membership, Place, Principal, Unknown
from ..names import PLACEHOLDER, arn
from ..policies import AWS_MANAGED, aws_managed

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.attached_policies import Iam

#: A permissions boundary that allows nothing in KMS.
_NO_KMS_POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}]}'
)


class _Attached:
    """All that is attached to one role, user or group."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.managed: list[tuple[str, Place]] = []
        self.boundary: tuple[str, Place] | None = None


def attach(iam: Iam, items: Iterable[Item], note: Callable[[Unknown], None]) -> None:
    """Attach the policies that files declare.

    Args:
        iam: what the fake KMS knows of IAM.
        items: what the files declare.
        note: is called with what is not known.

    Raises:
        InvalidSeed: AWS would refuse a policy.
    """
    everything = list(items)
    known = {item.arn: item.document for item in everything if isinstance(item, ManagedPolicy)}
    arns = {(item.stack.account, item.kind, item.name): item.arn for item in everything if isinstance(item, Principal)}
    attached = _gathered(everything, arns)
    origins = {name: dict(texts) for name, texts in iam.origins.items()}
    for item in everything:
        if isinstance(item, Principal) and item.kind != "group":
            origin = Document("", item.place).origin
            origins.setdefault(item.arn, {})[""] = origin
    for holder, policies in attached.items():
        if ":group/" in holder:
            continue
        documents = [*policies.documents, *_of_managed(policies.managed, known, note)]
        texts = list(iam.identity.get(holder, ()))
        for document in documents:
            text = _checked(document, PolicyKind.IDENTITY, holder)
            origins.setdefault(holder, {})[text] = document.origin
            texts += [text] if text not in texts else []
        if texts:
            iam.identity[holder] = tuple(texts)
        if policies.boundary is not None:
            for document in _of_managed([policies.boundary], known, note, nothing=_NO_KMS_POLICY):
                iam.boundaries[holder] = _checked(document, PolicyKind.BOUNDARY, holder)
                origins.setdefault(holder, {})[document.text] = document.origin
    iam.origins = origins
    tags = {item.arn: dict(item.tags) for item in everything if isinstance(item, Principal) and item.tags}
    iam.tags = {**iam.tags, **tags}
    iam.clear_cache()


def _gathered(items: Iterable[Item], arns: dict[tuple[str, str, str], str]) -> dict[str, _Attached]:
    """Return what is attached to each principal, by ARN; users have the policies of their groups."""
    found: dict[str, _Attached] = defaultdict(_Attached)
    members: list[tuple[str, str]] = []  # group and user

    def holder(item: Principal | Attachment | Membership, kind: str, name: str) -> str:
        return arns.get((item.stack.account, kind, name)) or arn(kind, item.stack, name)

    for item in items:
        if isinstance(item, Principal):
            mine = found[item.arn]
            mine.documents += item.inline
            mine.managed += [(managed, item.place) for managed in item.managed]
            mine.boundary = None if item.boundary is None else (item.boundary, item.place)
            members += [(holder(item, "group", group), item.arn) for group in item.groups]
        elif isinstance(item, Attachment):
            mine = found[holder(item, item.kind, item.name)]
            if isinstance(item.policy, Document):
                mine.documents.append(item.policy)
            else:
                mine.managed.append((item.policy, item.place))
        elif isinstance(item, Membership):
            members += [(holder(item, "group", item.group), holder(item, "user", user)) for user in item.users]
    for group, user in members:
        found[user].documents += found[group].documents
        found[user].managed += found[group].managed
    return found


def _of_managed(
    managed: Iterable[tuple[str, Place]], known: dict[str, Document], note: Callable[[Unknown], None], nothing: str = ""
) -> Iterator[Document]:  # fmt: skip
    """Yield the documents of managed policies, as far as they are known."""
    for policy, place in dict.fromkeys(managed):
        if policy in known:
            yield known[policy]
            continue
        if PLACEHOLDER in policy:
            continue  # the parameter without a value is noted
        if AWS_MANAGED not in policy:
            note(Unknown(place, f"the managed policy {policy} is not in the given files: it is ignored"))
            continue
        content = aws_managed(policy)
        name = policy.rpartition("/")[2]
        if content is None:
            note(Unknown(place, f"the AWS managed policy {name} is unknown: it is ignored"))
        elif content or nothing:
            origin = place._replace(resource=f"{place.resource} (AWS managed policy {name})")
            yield Document(json.dumps(content) if content else nothing, origin)


def _checked(document: Document, kind: PolicyKind, holder: str) -> str:
    try:
        return policy_text(document.text, kind, str(document.place), partition=holder.split(":")[1])
    except InvalidPolicy as error:
        raise InvalidSeed(str(error)) from None
