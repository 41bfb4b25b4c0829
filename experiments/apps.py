from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExperimentsConfig(AppConfig):
    name = "experiments"
    verbose_name = _("Experiments")
    timeline_sources = (
        "experiments.timeline_sources.ExperimentEntries",
        "experiments.timeline_sources.HoldoutEntries",
    )
    find_sources = (
        "experiments.find_sources.Experiments",
        "experiments.find_sources.Metrics",
    )
    personal_stores = ("experiments.personal_store.CustomerTotals",)
