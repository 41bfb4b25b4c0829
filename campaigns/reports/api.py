"""The report for programs, with what the ledger knows of sending."""

from collections.abc import Mapping

from campaigns import selectors
from campaigns.reports.allocation import learned_from
from experiments.models import Experiment
from experiments.reports import api


class ReportView(api.ReportView):
    """What an experiment found, with the sums from which anybody can recompute it."""

    def stages(self, experiment: Experiment) -> Mapping[str, Mapping[str, int]]:
        return selectors.stages(experiment)

    def learned_from(self, experiment: Experiment) -> str | None:
        return learned_from(experiment)
