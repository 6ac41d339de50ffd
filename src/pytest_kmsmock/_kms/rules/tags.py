"""AWS's checks of tags, for TagResource, CreateKey and ReplicateKey.

See https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call
from pytest_kmsmock._kms.state.records import NO_TAGS

TAGS_PER_KEY = 50
#: The characters that AWS allows in tags. Source: "Tag naming and usage conventions" of the AWS tagging guide.
_CHARACTERS = re.compile(r"[\w\s+\-=.:/@]*")


def read_tags(call: Call, present: Mapping[str, str] = NO_TAGS) -> Mapping[str, str]:
    """Check the tags of a request, and return them added to the present tags of a key.

    Raises:
        KmsError: `TagException` for reserved or repeated keys, forbidden characters and more than 50 tags at once;
            `LimitExceededException` for more than 50 tags of the key.
    """
    given = call.params.get("Tags")
    if not given:
        return present
    if len(given) > TAGS_PER_KEY:
        raise errors.TAG(reason="Too many tags")
    added: dict[str, str] = {}
    for tag in given:
        key, value = tag["TagKey"], tag["TagValue"]
        if key.lower().startswith("aws:"):
            raise errors.TAG(reason="Tags beginning with aws: are reserved")
        if key in added:
            raise errors.TAG(reason="Duplicate tag keys")
        if not (_CHARACTERS.fullmatch(key) and _CHARACTERS.fullmatch(value)):
            raise errors.TAG(reason="Invalid tag")
        added[key] = value
    tags = {**present, **added}
    if len(tags) > TAGS_PER_KEY:
        raise errors.TAG_QUOTA()
    return tags
