"""Arguments of public functions: an unknown one, or one without its name, is an error that says what was meant."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any, TypeVar, cast

from pytest_kmsmock.errors import InvalidArgument

from .checks import ACCOUNT_ID, REGION, did_you_mean

_T = TypeVar("_T")

#: Argument -> what values look like that can only be meant for it.
_FORMS = {
    "account": ACCOUNT_ID,
    "region": REGION,
    "alias": "alias/.+",
    "principal": "(role|user)/.+|arn:aws[a-z-]*:(iam|sts):.+",
    "error": "[A-Za-z]+(Error|Exception|Failure)",
    "seed": r".+\.(json|ya?ml)",
    "port": "[0-9]{1,5}",
}
#: Flags of a code object, as `inspect` has them: it takes `*args`, it takes `**kwargs`.
_VARARGS, _VARKEYWORDS = 4, 8


def argument_meant(value: object, names: Iterable[str]) -> str | None:
    """Return `region='eu-west-1'` for a value that was given without its name; None if that could be any."""
    fits = (name for name in names if name in _FORMS and re.fullmatch(_FORMS[name], str(value)))
    return next((f"{name}={value!r}" for name in fits), None)


def check_names(where: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse unknown arguments.

    Args:
        where: the function, such as `create_key`.
        given: the names that were given.
        known: the names that there are.

    Raises:
        InvalidArgument: with the name that was meant, or all of them.
    """
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f" Choose from: {', '.join(known)}."
            raise InvalidArgument(f"{where}(): unknown argument {name!r}.{hint}")


def check_arguments(prefix: str = "") -> Callable[[_T], _T]:
    """Decorate a function, or all public methods of a class, so that wrong arguments are explained.

    Args:
        prefix: what is written before the names of the methods, such as `faults.`.
    """

    def decorate(target: _T) -> _T:
        if isinstance(target, FunctionType):
            return cast("_T", _checking(target, prefix + target.__name__))
        for name, method in list(vars(target).items()):
            if isinstance(method, FunctionType) and not name.startswith("_") and _takes_arguments(method):
                setattr(target, name, _checking(method, prefix + name))
        return target

    return decorate


def _takes_arguments(method: FunctionType) -> bool:
    code = method.__code__
    return code.co_argcount + code.co_kwonlyargcount > 1 or bool(code.co_flags & (_VARARGS | _VARKEYWORDS))


def _checking(function: FunctionType, where: str) -> Callable[..., Any]:
    code = function.__code__
    names = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    named_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    positional = [name for name in code.co_varnames[: code.co_argcount] if name != "self"]
    most = None if code.co_flags & _VARARGS else code.co_argcount
    known = None if code.co_flags & _VARKEYWORDS else [name for name in names if name != "self"]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if most is not None and len(args) > most:
            value = args[most]
            meant = argument_meant(value, named_only)
            hint = (
                f"Choose a name from: {', '.join(named_only)}." if named_only else f"It takes {', '.join(positional)}."
            )
            hint = f"Pass it by name: {where}({meant})." if meant else hint
            raise InvalidArgument(f"{where}(): unexpected positional argument {value!r}. {hint}")
        if known is not None and kwargs:
            check_names(where, kwargs, known)
        return function(*args, **kwargs)

    function.__qualname__ = where  # which Python's message of missing arguments begins with
    return call
