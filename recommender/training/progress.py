"""How far a long command is: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


class ProgressBar:
    """Called with the finished share, 0 to 1. Writes to stderr, so that results can be piped."""

    def __init__(self, label: str, *, stream: TextIO | None = None) -> None:
        self._label, self._stream = label, stream or sys.stderr
        is_terminal = self._stream.isatty()
        form = "{l_bar}{bar}| {elapsed}<{remaining}"
        self._bar = (
            tqdm(total=1.0, desc=label, file=self._stream, bar_format=form, leave=False)
            if is_terminal
            else None
        )
        self._written_at = time.monotonic()

    def __call__(self, share: float) -> None:
        share = min(max(share, 0.0), 1.0)
        if self._bar is not None:
            self._bar.update(max(share - self._bar.n, 0.0))
        elif time.monotonic() - self._written_at >= SECONDS_BETWEEN_LINES:
            self._written_at = time.monotonic()
            self._stream.write(f"{self._label}: {share:.0%}\n")
            self._stream.flush()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextmanager
def progress_bar(label: str, *, stream: TextIO | None = None) -> Iterator[ProgressBar]:
    """The bar is gone at the end, whatever happened."""
    bar = ProgressBar(label, stream=stream)
    try:
        yield bar
    finally:
        bar.close()
