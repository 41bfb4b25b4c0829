"""Made data whose right answer is known: a planted context, order and taste, and plain noise."""

import _run  # noqa: F401  it puts the project before this folder
import numpy as np

from recommender.algorithms import ItemFeatures
from recommender.evaluation import Log, Split, leave_last_out, ratio_split
from recommender.evaluation.cold_start import ColdStart, cold_start_split

DAYPARTS = np.array(["morning", "noon", "evening"])


def shop_with_dayparts() -> Split:
    """Two tastes; each wants another third of its items in each part of the day. A fifth is hidden."""
    random = np.random.default_rng(0)
    users, parts = random.integers(0, 300, 9_000), random.integers(0, 3, 9_000)
    wanted = random.integers(0, 2, 300)[users] * 3 + parts
    pull = random.normal(0, 0.5, 60) + 3.0 * (np.arange(60) % 6 == wanted[:, None])
    items = np.argmax(pull + random.gumbel(size=pull.shape), axis=1)
    ones, times = np.ones(9_000, np.float32), np.arange(9_000)
    log = Log(users, items, ones, times, (300, 60), {"daypart": DAYPARTS[parts]})
    return ratio_split(log, new_only=False, seed=1)


def shop_with_order(
    *, n_users: int = 1_000, n_items: int = 200, mean_length: int = 20, seed: int = 0
) -> Split:
    """Each item has three successors, one of which comes next with 70 %, else any item by popularity (a power
    law). Nobody takes an item twice. Each user's last item is hidden.
    """
    random = np.random.default_rng(seed)
    successors = np.stack([random.permutation(n_items) for _ in range(3)], axis=1)
    chances = (1.0 / (10 + np.arange(n_items))) ** 0.8
    shares = np.cumsum(chances / chances.sum())
    lengths = np.clip(random.lognormal(np.log(mean_length * 0.7), 0.8, n_users), 4, n_items / 2).astype(int)
    users, items = np.repeat(np.arange(n_users), lengths), np.empty(int(lengths.sum()), dtype=np.int64)
    at = 0
    for length in lengths:
        taken = np.zeros(n_items, dtype=np.bool_)
        last = -1
        for _ in range(length):
            following = (
                int(successors[last, random.integers(3)]) if last >= 0 and random.random() < 0.7 else -1
            )
            while following < 0 or taken[following]:
                following = min(int(np.searchsorted(shares, random.random())), n_items - 1)
            taken[following], last, items[at] = True, following, following
            at += 1
    times = np.arange(len(items))
    return leave_last_out(Log(users, items, np.ones(len(items), np.float32), times, (n_users, n_items)))


def shop_with_new_items() -> tuple[ColdStart, ItemFeatures]:
    """Five topics that show in words, tags, prices and pictures; a fifth of 80 items is new."""
    random = np.random.default_rng(5)
    topics, users, items = np.arange(80) % 5, [], []
    for user in range(300):
        own = topics == user % 5
        chances = np.where(own, 0.75 / own.sum(), 0.25 / (~own).sum())
        items.append(random.choice(80, 12, replace=False, p=chances))
        users.append(np.full(12, user))
    n = 300 * 12
    log = Log(np.concatenate(users), np.concatenate(items), np.ones(n, np.float32), np.arange(n), (300, 80))
    texts = [
        " ".join(f"word{topic}x{at}" for at in random.choice(6, 2, replace=False))
        + f" any{random.integers(4)}"
        for topic in topics
    ]
    pictures = [_picture(int(topic), random) for topic in topics]
    numbers = {"price": topics * 10 + random.random(80)}
    return cold_start_split(log), ItemFeatures(texts=texts, numbers=numbers, images=pictures)


def _picture(topic: int, random: np.random.Generator) -> np.ndarray:
    """A pattern of the topic at random place, contrast and brightness, uint8[24, 24, 3]."""
    y, x = np.mgrid[0:24, 0:24]
    patterns = [np.sin(x), np.sin(y), np.sin((x + y) / 1.4), np.sin(x / 3) * np.sin(y / 3), (x - y) / 24]
    shifted = np.roll(patterns[topic], random.integers(0, 24, 2), axis=(0, 1))
    noisy = 128 + 50 * shifted * random.uniform(0.5, 1) + random.normal(0, 12, shifted.shape)
    grey = np.clip(noisy + random.uniform(-30, 30), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def noise_shop(seed: int) -> Log:
    """Everybody takes by the same popularity: nothing beats popular here, except by chance."""
    random = np.random.default_rng([seed, 7])
    chances = 1.0 / (5 + np.arange(80))
    items = [random.choice(80, 15, replace=False, p=chances / chances.sum()) for _ in range(200)]
    users, n = np.repeat(np.arange(200), 15), 3_000
    return Log(users, np.concatenate(items), np.ones(n, np.float32), random.permutation(n), (200, 80))
