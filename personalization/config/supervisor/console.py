"""Lines on the terminal, each with the name of who says it."""

import contextlib
import sys
import threading

WIDTH = 8


class Console:
    """Writes whole lines from many threads without mixing them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        # The reader of our output may be gone (`bin/run | head`); that must not stop the product.
        with self._lock, contextlib.suppress(OSError, ValueError):
            sys.stdout.write(f"{name:<{WIDTH}} | {text}\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        self.line("bespoke", text)
