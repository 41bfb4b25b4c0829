"""A catalog with planted tastes, of which some items are withheld from training."""

import numpy as np

from recommender.algorithms import ItemFeatures
from recommender.evaluation import Log

TOPICS, PER_TOPIC, USERS, EACH = 5, 16, 120, 12
N_ITEMS = TOPICS * PER_TOPIC


def shop():
    """Every user takes 12 items, 3 of 4 of the own topic; the log and each item's topic."""
    random = np.random.default_rng(5)
    topics = np.arange(N_ITEMS) % TOPICS
    users, items = [], []
    for user in range(USERS):
        own = topics == user % TOPICS
        chances = np.where(own, 0.75 / own.sum(), 0.25 / (~own).sum())
        items += random.choice(N_ITEMS, EACH, replace=False, p=chances).tolist()
        users += [user] * EACH
    ones = np.ones(len(users), dtype=np.float32)
    log = Log(np.array(users), np.array(items), ones, np.arange(len(users)), (USERS, N_ITEMS))
    return log, topics


def words_of(topics, *, seed=1):
    """Two of six words of the topic, one of four that say nothing, a tag for half of the items, a price."""
    random = np.random.default_rng(seed)
    texts = []
    for topic in topics:
        telling = random.choice(6, 2, replace=False)
        texts.append(" ".join([*(f"word{topic}x{at}" for at in telling), f"noise{random.integers(4)}"]))
    return ItemFeatures(
        texts=texts,
        tags=[[f"topic {topic}"] if at % 2 else [] for at, topic in enumerate(topics)],
        numbers={"price": topics * 10 + random.random(len(topics))},
    )


def pictures_of(topics, *, seed=2):
    """A pattern of 24 × 24 pixels for each topic, at random brightness, contrast and place."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:24, 0:24]
    patterns = [np.sin(x), np.sin(y), np.sin((x + y) / 1.4), np.sin(x / 3) * np.sin(y / 3), (x - y) / 24]
    found = []
    for topic in topics:
        shifted = np.roll(patterns[topic], random.integers(0, 24, 2), axis=(0, 1))
        noisy = 128 + 50 * shifted * random.uniform(0.5, 1) + random.normal(0, 12, shifted.shape)
        found.append(np.clip(noisy + random.uniform(-30, 30), 0, 255).astype(np.uint8))
    return found
