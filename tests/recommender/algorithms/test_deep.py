"""What the deep models share: the extra, the loss, the held-out slice, and fits that go on after a kill."""

import builtins
import signal
import subprocess
import sys

import numpy as np
import pytest

from recommender.algorithms import Interactions, MissingExtraError, NotEnoughMemoryError, get, names
from recommender.algorithms._deep_sequences import batches, hold_out, padded, shuffled_order, windows
from tests.recommender.algorithms.deep_data import planted_order

DEEP = {"autoencoder", "cnn", "contrastive", "gru", "mlp", "sasrec"}
KILLED = """
import os, signal, sys
from pathlib import Path
from recommender.algorithms import get
from tests.recommender.algorithms.deep_data import planted_order
def progress(share):
    if share > 0.55:
        os.kill(os.getpid(), signal.SIGKILL)
get(sys.argv[1])(epochs=4, dimensions=8).fit(
    planted_order()[0], progress=progress, checkpoint=Path(sys.argv[2]))
"""


def test_the_deep_models_are_listed_and_name_their_extra():
    assert set(names()) >= DEEP
    assert {name for name in names() if get(name).extra == "deep"} >= DEEP


@pytest.mark.parametrize("name", sorted(DEEP))
def test_without_torch_the_error_says_what_to_install(name, monkeypatch):
    real = builtins.__import__

    def without_torch(module, *rest, **named):
        if module.split(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return real(module, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(MissingExtraError, match=r"pip install -r requirements-deep\.txt"):
        get(name)().fit(planted_order()[0])


@pytest.mark.parametrize("name", sorted(DEEP))
@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"dimensions": 0}, {"dropout": 1.0}, {"learning_rate": 0}, {"max_seconds": 0},
     {"patience": -1}],
)  # fmt: skip
def test_senseless_parameters_are_refused(name, wrong):
    with pytest.raises(ValueError):
        get(name)(**wrong)


@pytest.mark.parametrize("name", sorted(DEEP))
def test_more_items_than_fit_are_refused_before_anything_is_allocated(name):
    one = Interactions.from_arrays(users=[0, 0], items=[0, 10**9], shape=(1, 10**9 + 1))
    with pytest.raises(NotEnoughMemoryError, match="als"):
        get(name)().fit(one)


def test_the_loss_and_its_gradients_are_those_of_torch():
    torch = pytest.importorskip("torch")
    from recommender.algorithms._deep_layers import softmax_loss

    torch.manual_seed(1)
    parts = [torch.randn(300, 8), torch.randn(50, 8), torch.randn(50)]
    targets = torch.randint(0, 50, (300,))
    ours, theirs = ([part.clone().requires_grad_() for part in parts] for _ in range(2))
    loss = softmax_loss(*ours, targets)
    expected = torch.nn.functional.cross_entropy(theirs[0] @ theirs[1].T + theirs[2], targets)
    (3 * loss).backward()
    (3 * expected).backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine.grad, other.grad, atol=1e-6)


def test_events_of_one_second_come_in_random_order_and_others_in_theirs():
    histories = Interactions.from_arrays(
        users=[0] * 5, items=[4, 0, 1, 2, 3], timestamps=[10, 20, 20, 20, 30], shape=(1, 5)
    )
    orders = {tuple(shuffled_order(histories, np.random.default_rng(seed)).tolist()) for seed in range(99)}
    assert {order[0] for order in orders} == {4} and {order[-1] for order in orders} == {3}
    assert len(orders) == 6


def test_windows_of_long_histories_lie_anywhere_inside():
    histories = Interactions.from_histories([list(range(10)), [3, 1]], n_items=10)
    seen = set()
    for seed in range(99):
        starts, lengths, items = windows(histories, 4, np.random.default_rng(seed))
        batch = padded(items, starts, lengths)
        assert lengths.tolist() == [4, 2] and batch.items[1, :2].tolist() == [3, 1]
        seen.add(tuple(batch.items[0].tolist()))
    assert seen == {tuple(range(start, start + 4)) for start in range(7)}


def test_batches_hold_every_row_once_and_rows_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    parts = batches(lengths, 32, np.random.default_rng(1))
    assert sorted(np.concatenate(parts).tolist()) == list(range(500))
    assert np.mean([np.ptp(lengths[part]) for part in parts]) < 15


def test_the_latest_item_is_held_out_of_what_is_learned_from():
    known, _ = planted_order(n_users=200)
    rest, held = hold_out(known, n_users=50, seed=1)
    assert held.histories.n_users == len(held.targets) == 50
    assert len(rest.items) == len(known.items) - 50 and rest.n_users == known.n_users
    items, indptr = known.sequences()
    shorter = np.flatnonzero(np.diff(rest.indptr) < np.diff(known.indptr))
    assert held.targets.tolist() == items[indptr[shorter + 1] - 1].tolist()


def test_with_few_users_nothing_is_held_out():
    known, _ = planted_order(n_users=50)
    assert hold_out(known, n_users=1000, seed=0)[1] is None


@pytest.mark.parametrize("name", ["sasrec", "autoencoder"])
def test_a_killed_fit_goes_on_to_the_same_model(name, tmp_path):
    pytest.importorskip("torch")
    known, path = planted_order()[0], tmp_path / "checkpoint"
    killed = subprocess.run([sys.executable, "-c", KILLED, name, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL and path.exists()
    shares = []
    again = get(name)(epochs=4, dimensions=8).fit(known, checkpoint=path, progress=shares.append)
    assert shares[0] > 0.5, "the finished epochs are not run again"
    whole = get(name)(epochs=4, dimensions=8).fit(known)
    for key, array in whole._arrays().items():
        assert np.array_equal(array, again._arrays()[key]), key


def test_a_checkpoint_of_other_data_or_parameters_or_a_damaged_one_is_not_used(tmp_path):
    pytest.importorskip("torch")
    path, known = tmp_path / "checkpoint", planted_order()[0]

    def first_share(model, data):
        shares = []
        model.fit(data, checkpoint=path, progress=shares.append)
        return shares[0]

    def model(**changed):
        return get("mlp")(**{"epochs": 2, "dimensions": 8, **changed})

    assert first_share(model(), known) < 0.5
    assert first_share(model(), known) == 1.0
    assert first_share(model(dimensions=4), known) < 0.5
    assert first_share(model(dimensions=4), planted_order(seed=5)[0]) < 0.5
    path.write_bytes(path.read_bytes()[:-9])
    assert first_share(model(dimensions=4), planted_order(seed=5)[0]) < 0.5


def test_training_stops_when_its_time_is_over():
    pytest.importorskip("torch")
    known, shares = planted_order()[0], []
    get("sasrec")(epochs=10**6, max_seconds=0.3).fit(known, progress=shares.append)
    assert shares[-1] == 1.0 and shares[-2] < 0.01


def test_training_stops_when_nothing_is_gained_any_more():
    pytest.importorskip("torch")
    noise = np.random.default_rng(0).integers(0, 30, (200, 8))
    known, shares = Interactions.from_histories(noise.tolist(), n_items=30), []
    get("mlp")(epochs=1000, patience=2, dimensions=8).fit(known, progress=shares.append)
    assert shares[-2] < 0.2


def test_the_generators_and_threads_of_the_caller_are_left_alone():
    torch = pytest.importorskip("torch")
    torch.manual_seed(7)
    expected, threads = torch.rand(1).item(), torch.get_num_threads()
    torch.manual_seed(7)
    get("gru")(epochs=1, dimensions=8).fit(planted_order()[0]).recommend([0], 3)
    assert torch.rand(1).item() == expected and torch.get_num_threads() == threads
