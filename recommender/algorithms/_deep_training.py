"""The training loop of the deep models: seeded, in batches, stopped early, resumable."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.algorithms._base import Arrays, Progress
from recommender.algorithms._deep_checkpoint import State, read_state, write_state
from recommender.algorithms._deep_torch import (
    optimizer_arrays,
    put_optimizer_arrays,
    put_weights,
    quiet_torch,
    weights_of,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

# A step that would throw the weights far away is shortened to this length.
GRADIENT_NORM = 5.0
# How much of the running average of the weights is kept in each step: it is judged and served in place of
# the last weights, whose noise it takes out (Polyak and Juditsky, 1992).
KEPT_AVERAGE = 0.99


@dataclass(frozen=True)
class Plan:
    """How long and how fast: at most `epochs` and about `max_seconds` (over all attempts together), ended
    after `patience` epochs without a better score.
    """

    epochs: int
    learning_rate: float
    weight_decay: float
    patience: int
    max_seconds: float | None
    seed: int


@dataclass(frozen=True)
class Fit:
    """What is trained. `losses(network, random, epoch)` yields one loss per batch, with the share of
    the epoch that is done after it; `judge(network)` answers a score to be made large, None where nothing
    was held out. `checkpoint` and `of`, the fingerprint of this fit, make it resumable.
    """

    network: "nn.Module"
    losses: Callable[["nn.Module", np.random.Generator, int], Iterator[tuple[float, "Tensor"]]]
    judge: Callable[["nn.Module"], float | None]
    progress: Progress
    checkpoint: Path | None = None
    of: str = ""


def train(fit: Fit, plan: Plan) -> Arrays:
    """The best weights by name. Going on from a checkpoint gives the same ones as an uninterrupted run."""
    state = (read_state(fit.checkpoint, of=fit.of) if fit.checkpoint else None) or State()
    optimizer = _optimizer(fit, plan, state)
    while not state.is_done and state.epoch < plan.epochs:
        began, spent = time.monotonic(), state.seconds
        deadline = None if plan.max_seconds is None else began + plan.max_seconds - spent
        is_late = _run_epoch(fit, plan, state, optimizer, deadline)
        _note_score(fit, state)
        state.seconds = spent + time.monotonic() - began
        state.is_done = is_late or state.stale > plan.patience or state.epoch == plan.epochs
        if fit.checkpoint:
            state.weights = weights_of(fit.network)
            state.optimizer = optimizer_arrays(optimizer)
            write_state(fit.checkpoint, state, of=fit.of)
    fit.progress(1.0)
    return state.best or weights_of(fit.network)


def _optimizer(fit: Fit, plan: Plan, state: State) -> Any:
    with quiet_torch() as torch:
        optimizer = torch.optim.AdamW(
            fit.network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
        )
    if state.epoch:
        put_weights(fit.network, state.weights)
        put_optimizer_arrays(optimizer, state.optimizer)
    return optimizer


def _run_epoch(fit: Fit, plan: Plan, state: State, optimizer: Any, deadline: float | None) -> bool:
    """True when the time was over before the epoch was."""
    is_late = False
    random = np.random.default_rng([plan.seed, 1, state.epoch])
    with quiet_torch(int(random.integers(2**31))) as torch:
        fit.network.train()
        average = _Average(fit.network, state)
        for share, loss in fit.losses(fit.network, random, state.epoch):
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(fit.network.parameters(), GRADIENT_NORM)
            optimizer.step()
            average.add(torch)
            fit.progress(min((state.epoch + share) / plan.epochs, 0.99))
            if deadline is not None and time.monotonic() > deadline:
                is_late = True
                break
        state.average = average.arrays()
    state.epoch += 1
    return is_late


class _Average:
    """The running average of the weights; in the first steps over fewer of them."""

    def __init__(self, network: "nn.Module", state: State) -> None:
        self._state = state
        self._network = network
        with quiet_torch() as torch:
            self._now = [value.detach() for value in network.parameters()]
            if state.average:
                names = [name for name, _ in network.named_parameters()]
                self._values = [torch.from_numpy(state.average[name]) for name in names]
            else:
                self._values = [value.clone() for value in self._now]

    def add(self, torch: Any) -> None:
        self._state.steps += 1
        steps = self._state.steps
        torch._foreach_lerp_(self._values, self._now, 1 - min(KEPT_AVERAGE, steps / (steps + 10)))

    def arrays(self) -> Arrays:
        """All weights, those without an average (buffers) as they are."""
        names = [name for name, _ in self._network.named_parameters()]
        averaged = {name: value.numpy() for name, value in zip(names, self._values, strict=True)}
        return {**weights_of(self._network), **averaged}


def _note_score(fit: Fit, state: State) -> None:
    """Judges the averaged weights, and keeps them when they are the best so far."""
    weights = weights_of(fit.network)
    put_weights(fit.network, state.average)
    fit.network.eval()
    score = fit.judge(fit.network)
    put_weights(fit.network, weights)
    if score is None or score > state.score:
        state.score, state.stale = score or 0.0, 0
        state.best = {name: array.copy() for name, array in state.average.items()}
    else:
        state.stale += 1
