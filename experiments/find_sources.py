"""Experiments and metrics among what is found from every page."""

from django.utils.translation import gettext_lazy as _

from experiments.models import Experiment, Metric
from personalization.access.finding import NamedRows


class Experiments(NamedRows):
    label = _("Experiments")
    icon = "science"
    permission = "experiments.view_experiment"
    model = Experiment
    url = "experiments:report"
    url_field = "key"
    name_fields = ("name", "key")

    def note(self, row: Experiment) -> str:
        return row.key


class Metrics(NamedRows):
    label = _("Metrics")
    icon = "monitoring"
    permission = "experiments.view_metric"
    model = Metric
    url = "admin:experiments_metric_change"
    name_fields = ("name", "key")
