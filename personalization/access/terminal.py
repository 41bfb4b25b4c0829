"""How far a command is, for who watches it in a terminal, and for who reads its log."""

from django.core.management.base import OutputWrapper
from django.utils import timezone

from personalization.access.time_left import time_left

WIDTH = 40
# In a log a line for each so many percent.
LOGGED_PERCENT = 10


class ProgressLine:
    """On a terminal one line, written anew whenever there is something new to say."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out, self._begun_at, self._said, self._logged = out, timezone.now(), "", 0

    def tell(self, share: float) -> None:
        said = f"{share:.0%} {time_left(self._begun_at, share)}".strip()
        if not self._out.isatty():
            step = int(100 * share) // LOGGED_PERCENT
            if step > self._logged:
                self._logged = step
                self._out.write(said, style_func=str)
        elif said != self._said:
            self._out.write(f"\r{said:<{WIDTH}}", style_func=str, ending="")
            self._out.flush()
            self._said = said

    def end(self) -> None:
        if self._said:
            self._out.write("", style_func=str)
