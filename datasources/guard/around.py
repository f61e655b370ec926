"""A port with something around each of its coroutine methods; everything else of it is as it was."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

Method = Callable[..., Coroutine[Any, Any, Any]]


class AroundPort(ABC):
    """Stands in for `port`. What a subclass defines itself is its own."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not iscoroutinefunction(attribute):
            return attribute
        made = self._around(name, attribute)
        self.__dict__[name] = made  # found without this from now on
        return made

    @abstractmethod
    def _around(self, name: str, method: Method) -> Method:
        """What is called in place of `method`."""
