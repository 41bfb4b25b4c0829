from typing import Any

from django.core.management.base import BaseCommand

from experiments.models import Metric
from experiments.services import ensure_default_metrics


class Command(BaseCommand):
    help = "Creates the default metrics that are not there yet. Run it after `migrate`; `manage.py up` does."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_default_metrics()
        keys = Metric.objects.filter(archived_at=None).values_list("key", flat=True)
        self.stdout.write("Metrics: " + ", ".join(keys))
