"""What is found or compiled at its first use, before there is one: else the first visitor of a page waits for
it, and a worker's first chunk. In a worker before it forks, so that its children share the memory.
"""

from datetime import UTC, datetime
from importlib import import_module

import numpy as np

from personalization.context.times import tell_moment

REGISTRIES = ("campaigns.channels", "recommender.algorithms")
BROKERS_CLIENT = ("celery.app.amqp", "celery.app.routes", "celery.utils.saferepr", "kombu.transport.redis")


def preload() -> None:
    for registry in REGISTRIES:
        import_module(registry).names()
    # The first page that hands something to a worker would make all tasks, and import the broker's client.
    import_module("personalization.config.celery").app.finalize()
    for name in BROKERS_CLIENT:
        import_module(name)
    # The first compiled loop brings the compiler's types with it, the first calendar those of all countries.
    import_module("recommender.algorithms._ranking_kernels").any_above(np.zeros(1, np.float32), np.float32(0))
    tell_moment(datetime.now(UTC), zone="", default_zone="UTC", country="US")
