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
assert app.events.Dispatcher
from campaigns.journeys import entries, nodes
from experiments import metrics
from personalization.customers.timeline import timeline_sources
from personalization.traits.registry import trait_kinds
assert min(map(len, (entries.kinds(), nodes.kinds(), metrics.names(), timeline_sources(), trait_kinds()))) > 2
from personalization.context.devices import parse_agent
assert parse_agent("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)")[0].kind == "tablet"
print(sorted(set(sys.modules) - before))
"""


def test_after_loading_algorithms_loops_calendars_devices_kinds_and_the_broker_import_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


PAGES = """
import sys
import django
django.setup()
from personalization.config.preload import preload_pages
preload_pages()
before = set(sys.modules)
from django.urls import get_resolver, reverse
from django.utils.translation import override
for language in ("en", "zh-hans"):
    with override(language):
        assert language in get_resolver()._reverse_dict
        assert reverse("campaigns:list")
print(sorted(set(sys.modules) - before))
"""


def test_after_loading_pages_an_address_is_found_in_each_language_without_reading_all_of_them() -> None:
    done = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
