"""`AWS::Include`: a file that is inserted into a template, as far as it is at hand.

`aws cloudformation package` uploads a local `Location`, so templates in a repository name files beside them; what is in
S3 is not fetched, and stays in the template for `functions` to note.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_kmsmock.errors import InvalidSeed

from ..reading import Located, line_of, parse, text_of

NAME = "AWS::Include"
TRANSFORM = "Fn::Transform"
_TRANSFORMS = (TRANSFORM, "Transform")  # the second at the top of a template
_MAX_FILES = 200


def with_included(file: str, template: Any, files: list[str], parents: tuple[str, ...] = ()) -> Any:
    """Return a template, or a part of one, with the content of the files that it includes.

    Args:
        file: the file that it is in.
        template: what is in it.
        files: a list to add the included files to.
        parents: the files that include this one.

    Raises:
        InvalidSeed: an included file cannot be read, or too many are included.
    """
    if isinstance(template, list):
        return [with_included(file, item, files, parents) for item in template]
    if not isinstance(template, dict):
        return template
    found = Located(line=line_of(template))
    for name, value in template.items():
        transforms = value if isinstance(value, list) else [value]
        included = [_local_file(file, each, parents) for each in transforms] if name in _TRANSFORMS else []
        left = [each for each, path in zip(transforms, included, strict=False) if path is None]
        if not any(included):
            found[name] = with_included(file, value, files, parents)
        elif left:
            found[name] = left
        for path in filter(None, included):
            files.append(path)
            if len(files) > _MAX_FILES:
                raise InvalidSeed(f"{file}:{line_of(template)}: more than {_MAX_FILES} files are included")
            content = with_included(path, parse(path, text_of(path)), files, (*parents, file))
            content = _moved(content, line_of(template))
            if not isinstance(content, dict):
                return content
            found.update(content)
    return found


def reason(transform: str, name: str) -> str:
    """Return why a transform that is still there has no effect."""
    if name == NAME:
        return f"{transform} includes no local file: its Location is not at hand"
    return f"{transform} is not supported: what it would add is missing"


def _local_file(file: str, transform: Any, parents: tuple[str, ...]) -> str | None:
    """Return the file that a transform includes; None if it is another transform, or the file is not at hand."""
    parameters = transform.get("Parameters") if isinstance(transform, dict) and transform.get("Name") == NAME else None
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    if not isinstance(location, str) or "://" in location:
        return None
    path = Path(file).parent / location
    return str(path) if path.is_file() and str(path) not in (file, *parents) else None


def _moved(value: Any, line: int) -> Any:
    """Return the content of an included file with the line that includes it: lines are those of one file."""
    if isinstance(value, dict):
        return Located({name: _moved(item, line) for name, item in value.items()}, line)
    return [_moved(item, line) for item in value] if isinstance(value, list) else value
