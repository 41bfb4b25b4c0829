"""What is found or compiled at its first use, before there is one: else the first visitor of a page waits for
it, and a worker's first chunk. In a worker before it forks, so that its children share the memory.
"""

from datetime import UTC, datetime
from importlib import import_module

import numpy as np
import ua_parser
from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import override

from personalization.context.times import tell_moment

REGISTRIES = (
    "campaigns.channels.names",
    "campaigns.journeys.entries.kinds",
    "campaigns.journeys.nodes.kinds",
    "experiments.metrics.names",
    "personalization.customers.timeline.timeline_sources",
    "personalization.traits.registry.trait_kinds",
    "recommender.algorithms.names",
)
BROKERS_CLIENT = (
    "celery.app.amqp",
    "celery.app.events",
    "celery.app.routes",
    "celery.events.dispatcher",
    "celery.utils.saferepr",
    "kombu.transport.redis",
)


def preload() -> None:
    for registry in REGISTRIES:
        import_string(registry)()
    # The first page that hands something to a worker would make all tasks, and import the broker's client.
    import_module("personalization.config.celery").app.finalize()
    for name in BROKERS_CLIENT:
        import_module(name)
    # The first compiled loop brings the compiler's types with it, the first calendar those of all countries.
    import_module("recommender.algorithms._ranking_kernels").any_above(np.zeros(1, np.float32), np.float32(0))
    tell_moment(datetime.now(UTC), zone="", default_zone="UTC", country="US")
    ua_parser.parse("")  # hundreds of expressions, with which a device is told


def preload_pages() -> None:
    """What besides only pages need: all of them imported, and their addresses, for each language anew."""
    for language, _name in settings.LANGUAGES:
        with override(language):
            reverse("admin:index")
