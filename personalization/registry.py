"""One class per file: finds the plug-ins of a package, and refuses a wrong one at start-up.

A recommender, a channel or a metric kind is added by putting one module with one public class into its
package; nothing else has to be edited.
"""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


class RegistryError(Exception):
    """A module in a plug-in package does not hold exactly one class of the expected kind."""


def discover(package: ModuleType, base: type[T]) -> dict[str, type[T]]:
    """The classes of `package`, keyed by their `name` attribute (default: the module's name).

    Modules whose name starts with an underscore are skipped. Raises RegistryError when a module defines no
    concrete subclass of `base`, or more than one, or when two classes claim the same name.
    """
    found: dict[str, type[T]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        cls = _only_class(module, base)
        name = str(getattr(cls, "name", "") or info.name)
        if name in found:
            raise RegistryError(f"{module.__name__}: the name {name!r} is taken by {found[name].__module__}")
        found[name] = cls
    return found


def _only_class(module: ModuleType, base: type[T]) -> type[T]:
    classes = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__
        and issubclass(cls, base)
        and not inspect.isabstract(cls)
        and not cls.__name__.startswith("_")
    ]
    if len(classes) != 1:
        names = ", ".join(cls.__name__ for cls in classes) or "none"
        raise RegistryError(f"{module.__name__} must define one subclass of {base.__name__}; found: {names}")
    return classes[0]
