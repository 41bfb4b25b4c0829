"""Which studies are shown: a try that came to nothing is told, and hides no earlier result."""

from typing import TypeVar

from django.db.models import Q, QuerySet

from experiments.models import Experiment, LongRunStudy, TargetingStudy
from personalization.access.jobs.row import JobStatus

Study = TypeVar("Study", TargetingStudy, LongRunStudy)
_IN_VAIN = (JobStatus.FAILED, JobStatus.CANCELED)


def newest_first(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Of those that failed or were canceled only the newest study of all, if it is one."""
    newest = studies.order_by("-pk").values("pk")[:1]
    return studies.filter(~Q(status__in=_IN_VAIN) | Q(pk__in=newest)).order_by("-pk")


def newest_targeting(experiment: Experiment) -> QuerySet[TargetingStudy]:
    """Of each metric and variant the newest study, and the newest result where that is another."""
    each = (
        experiment.targeting.order_by("metric_id", "variant_id", "-pk")
        .distinct("metric_id", "variant_id")
        .values("pk")
    )
    shown = Q(pk__in=each) | Q(pk__in=each.filter(status=JobStatus.DONE))
    return experiment.targeting.filter(shown).select_related("metric", "variant").order_by("-pk")
