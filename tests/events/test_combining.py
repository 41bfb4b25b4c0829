"""Work that comes at the same moment is done together, and none fails for its neighbor."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from personalization.events.combining import Combiner


class Doing:
    """Notes what is done together; the first act waits until it is let go, -1 cannot be done."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, works):
        self.seen.append(list(works))
        if len(self.seen) == 1:
            self.begun.set()
            assert self.go.wait(10)
        if -1 in works:
            raise ValueError("-1")
        return {work: work * 10 for work in works}


def run_behind_the_first(combiner, doing, works):
    """The first work is begun; all others come while it is being done. Their futures."""
    pool = ThreadPoolExecutor(len(works) + 1)
    futures = [pool.submit(combiner.run, 0)]
    assert doing.begun.wait(10)
    futures += [pool.submit(combiner.run, work) for work in works]
    while len(combiner._waiting) < len(works):
        time.sleep(0.001)
    doing.go.set()
    pool.shutdown()
    return futures


def test_a_work_that_comes_alone_is_done_at_once():
    doing = Doing()
    doing.go.set()
    combiner = Combiner(doing, places=1, most=10)
    assert [combiner.run(work)[work] for work in (1, 2)] == [10, 20]
    assert doing.seen == [[1], [2]]


def test_what_comes_meanwhile_is_done_together_and_no_more_than_may_be():
    doing = Doing()
    futures = run_behind_the_first(Combiner(doing, places=1, most=3), doing, [1, 2, 3, 4])
    assert [future.result()[work] for work, future in enumerate(futures)] == [0, 10, 20, 30, 40]
    assert sorted(map(len, doing.seen)) == [1, 1, 3]


def test_one_that_cannot_be_done_fails_alone_and_keeps_no_place():
    doing = Doing()
    combiner = Combiner(doing, places=1, most=10)
    first, bad, *good = run_behind_the_first(combiner, doing, [-1, 2, 3])
    assert isinstance(bad.exception(), ValueError)
    assert [future.exception() for future in (first, *good)] == [None, None, None]
    with pytest.raises(ValueError, match="-1"):
        combiner.run(-1)
    assert combiner.run(7)[7] == 70


def test_as_many_act_at_once_as_there_are_places():
    inside, most, guard = [0], [0], threading.Lock()

    def act(works):
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        with guard:
            inside[0] -= 1
        return set(works)

    combiner = Combiner(act, places=2, most=4)
    with ThreadPoolExecutor(12) as pool:
        assert all(work in result for work, result in enumerate(pool.map(combiner.run, range(200))))
    assert most[0] == 2


def test_nobody_is_forgotten_whatever_fails():
    chance = random.Random(5)
    done: list[int] = []

    def act(works):
        if any(work % 7 == 0 for work in works):
            raise ValueError
        done.extend(works)
        time.sleep(chance.random() / 1000)
        return works

    def run(work):
        try:
            return work in combiner.run(work)
        except ValueError:
            return None

    combiner = Combiner(act, places=2, most=5)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(run, range(500)))
    assert found == [None if work % 7 == 0 else True for work in range(500)]
    assert sorted(done) == [work for work in range(500) if work % 7]
