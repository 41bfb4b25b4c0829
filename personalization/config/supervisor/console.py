"""Lines on the terminal, each with the name of who says it."""

import contextlib
import sys
import threading
from typing import TextIO

WIDTH = 8


class Console:
    """Writes whole lines from many threads without mixing them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        # The reader of our output may be gone (`bin/run | head`); that must not stop the product.
        stream = self._stream or sys.stdout
        with self._lock, contextlib.suppress(OSError, ValueError):
            stream.write(f"{name:<{WIDTH}} | {text}\n")
            stream.flush()

    def say(self, text: str) -> None:
        self.line("bespoke", text)
