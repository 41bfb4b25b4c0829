"""One thread for the linear algebra, where the caller's own threads already take every core."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


class _Limit:
    """The limit that is set now, and how many threads are inside."""

    lock = Lock()
    inside = 0
    limiter: Any = None


@cache
def _controller() -> ThreadpoolController:
    """Finding the libraries takes milliseconds, so it is done once."""
    return ThreadpoolController()


def stay_on_one() -> None:
    """For good, in a process whose threads answer visitors: to set it for each list takes longer than the
    linear algebra of one."""
    _enter()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """The setting belongs to the whole process: it holds from the first thread inside to the last one out."""
    _enter()
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.inside -= 1
            if _Limit.inside == 0:
                _Limit.limiter.restore_original_limits()


def _enter() -> None:
    with _Limit.lock:
        _Limit.inside += 1
        if _Limit.inside == 1:
            _Limit.limiter = _controller().limit(limits=1, user_api="blas")
