"""A process that is ready has nothing left to find at its first use."""

import subprocess
import sys

SCRIPT = """
import sys
import django
django.setup()
from personalization.config.preload import preload
preload()
before = set(sys.modules)
from datetime import UTC, datetime
import numpy as np
from personalization.context.times import tell_moment
from recommender import algorithms
from recommender.algorithms._ranking_kernels import any_above
assert len(algorithms.names()) > 10
assert any_above(np.ones(3, np.float32), np.float32(0))
tell_moment(datetime.now(UTC), zone="", default_zone="UTC", country="US")
from personalization.config.celery import app
assert "celery.chain" in app.tasks
with app.connection_for_write() as broker:
    assert broker.transport.driver_type == "redis"
assert app.amqp.task_protocols[2]("id", "name")
print(sorted(set(sys.modules) - before))
"""


def test_after_loading_neither_algorithms_nor_loops_nor_calendars_nor_the_broker_import_anything() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
