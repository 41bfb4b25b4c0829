"""How far a command is, for who watches it in a terminal."""

from django.core.management.base import OutputWrapper
from django.utils import timezone

from personalization.access.time_left import time_left

WIDTH = 40


class ProgressLine:
    """One line, written anew whenever there is something new to say."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out, self._begun_at, self._said = out, timezone.now(), ""

    def tell(self, share: float) -> None:
        said = f"{share:.0%} {time_left(self._begun_at, share)}"
        if said != self._said:
            self._out.write(f"\r{said:<{WIDTH}}", style_func=str, ending="")
            self._out.flush()
            self._said = said

    def end(self) -> None:
        if self._said:
            self._out.write("", style_func=str)
