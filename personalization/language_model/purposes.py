"""What a language model is asked for. Other rooms name theirs in `language_model_purposes` of their app
configuration: this room knows none of them."""

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, ClassVar

from django.apps import apps
from django.utils.module_loading import import_string

from personalization.language_model.models import Call


class Purpose(ABC):
    """Adding one is one class."""

    name: ClassVar[str]

    @abstractmethod
    def receive(self, call: Call) -> dict[str, Any]:
        """Takes the answer of `call` in; what it answers is kept as the call's result. An answer is the words
        of a stranger. Raises Unusable."""


@cache
def purposes() -> dict[str, Purpose]:
    names = [
        name for config in apps.get_app_configs() for name in getattr(config, "language_model_purposes", ())
    ]
    made: list[Purpose] = [import_string(name)() for name in names]
    return {one.name: one for one in made}
