"""`Record`: `typing.NamedTuple` in a third of the time.

`typing.NamedTuple` parses every annotation; for the records of this package that is a tenth of the time of a process's
first test. A `Record` keeps annotations as they are written: `typing.get_type_hints` parses them when they are needed.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:

    class _RecordType(type):
        """Makes a named tuple of each class that derives from `Record`."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            annotations = namespace.pop("__annotations__", {})
            defaults = [namespace.pop(field) for field in annotations if field in namespace]
            made = namedtuple(  # noqa: PYI024 - it is what `typing.NamedTuple` makes too
                name, annotations, defaults=defaults, module=namespace.pop("__module__")
            )
            made.__annotations__ = annotations
            for attribute, value in namespace.items():  # docstring, properties and methods
                setattr(made, attribute, value)
            return made

    class Record(metaclass=_RecordType):
        """An immutable record: a named tuple with the annotated fields, and the methods of the class."""


__all__ = ["Record"]
