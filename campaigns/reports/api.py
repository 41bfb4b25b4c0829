"""The report for programs, with what the ledger knows of sending."""

from collections.abc import Mapping

from campaigns import selectors
from campaigns.reports.allocation import learned_from
from campaigns.reports.found import countable
from experiments.models import Experiment
from experiments.reports import api
from experiments.reports.report import Report


class ReportView(api.ReportView):
    """What an experiment found, with the sums from which anybody can recompute it."""

    def stages(self, experiment: Experiment) -> Mapping[str, Mapping[str, int]]:
        return selectors.stages(experiment)

    def learned_from(self, experiment: Experiment) -> str | None:
        return learned_from(experiment)

    def told(self, experiment: Experiment, report: Report) -> Report:
        return countable(experiment, report)
