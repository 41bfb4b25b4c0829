"""Python's collector of circles, still while a chunk is being sent.

Messages are made of values that nothing refers back to, and go when the last reference goes. The collector
would walk through templates, models and remembered items some twenty-five times a chunk to find nothing: a
twelfth of all the work. Afterwards it runs as ever, so a chunk's few circles do not outlive the next.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_rest() -> Iterator[None]:
    """Off inside; afterwards as it was before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
