"""The only door to torch, which is imported when it is first needed and not before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, MissingExtraError

if TYPE_CHECKING:
    import torch

# More threads than this cost a small model more than they give.
MAX_THREADS = 4


def load_torch() -> Any:
    """The module torch; raises MissingExtraError where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("the deep models need") from error
    return torch


@contextmanager
def quiet_torch(seed: int = 0, *, threads: int = MAX_THREADS) -> Iterator[Any]:
    """torch with a seeded generator and few threads; both are as before afterwards."""
    torch = load_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(threads, before, os.cpu_count() or 1)))
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield torch
    finally:
        torch.set_num_threads(before)


def weights_of(network: "torch.nn.Module") -> Arrays:
    """Copies of all parameters and buffers as plain arrays, by their name in the state_dict."""
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def put_weights(network: "torch.nn.Module", arrays: Arrays) -> None:
    """The reverse; raises ValueError when a name or a shape does not fit."""
    torch = load_torch()
    state = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def optimizer_arrays(optimizer: "torch.optim.Optimizer") -> Arrays:
    """The moments of each parameter as plain arrays, named `<parameter number>.<moment>`."""
    return {
        f"{number}.{name}": np.asarray(value.numpy()).copy()
        for number, moments in optimizer.state_dict()["state"].items()
        for name, value in moments.items()
    }


def put_optimizer_arrays(optimizer: "torch.optim.Optimizer", arrays: Arrays) -> None:
    torch = load_torch()
    state: dict[int, dict[str, Any]] = {}
    for key, array in arrays.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = torch.from_numpy(np.array(array))
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def as_numpy(values: "torch.Tensor") -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(values.detach().numpy(), dtype=np.float32)
