"""Tags on keys.

See https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
"""

from __future__ import annotations

from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.pagination import paginate
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import NOT_PENDING_DELETION
from pytest_kmsmock._kms.rules.tags import read_tags
from pytest_kmsmock._kms.state.state import SortedNames

_TAGS_PER_PAGE = 50


@operation("TagResource", targets=[key()], states=NOT_PENDING_DELETION, customer_managed=True)
def tag_resource(call: Call) -> Result:
    """Add tags to a key; a tag of the same key gets the new value.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
    """
    call.state.change_key(call.key, tags=read_tags(call, call.key.tags))
    return {}


@operation("UntagResource", targets=[key()], states=NOT_PENDING_DELETION, customer_managed=True)
def untag_resource(call: Call) -> Result:
    """Remove tags from a key; unknown tag keys are ignored.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html
    """
    gone = set(call.params["TagKeys"])
    call.state.change_key(call.key, tags={name: value for name, value in call.key.tags.items() if name not in gone})
    return {}


@operation("ListResourceTags", targets=[key()])
def list_resource_tags(call: Call) -> Result:
    """List the tags of a key, sorted by tag key, so that pages stay complete when a tag is removed between them.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html
    """
    tags = call.key.tags
    return paginate(
        call, "Tags", SortedNames(sorted(tags)).after, lambda name: {"TagKey": name, "TagValue": tags[name]},
        default=_TAGS_PER_PAGE, scope=call.key.id,
    )  # fmt: skip
