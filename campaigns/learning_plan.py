"""How a campaign that learns while it is sent goes about it: from which metric, in how many waves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from experiments.models import Allocation, Metric, MetricScope
from experiments.sums.outcomes import is_one_number

MAX_WAVES, MAX_HOURS = 30, 24.0 * 14


@dataclass(frozen=True)
class LearningPlan:
    """`metric` is a key, None for the first that suits; `hours` between waves is also how long an outcome may
    take to be learned from; `floor` is the least chance of each message among the messages."""

    metric: str | None = None
    waves: int = 4
    hours: float = 24.0
    floor: float = 0.1


def read_plan(learning: Mapping[str, Any]) -> LearningPlan:
    """Raises InvalidCampaign for what is no plan."""
    unknown = set(learning) - {"metric", "waves", "hours", "floor"}
    given = {key: value for key, value in learning.items() if value not in (None, "")}
    try:
        plan = LearningPlan(
            given.get("metric"), int(given.get("waves", 4)), float(given.get("hours", 24.0)),
            float(given.get("floor", 0.1)),
        )  # fmt: skip
    except (TypeError, ValueError):
        raise _invalid("", _("Waves, hours and floor must be numbers.")) from None
    if unknown:
        raise _invalid("", _("There is no such part: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    if not 2 <= plan.waves <= MAX_WAVES:
        raise _invalid("waves", _("There are 2 to %(n)s waves.") % {"n": MAX_WAVES})
    if not 1 <= plan.hours <= MAX_HOURS:
        raise _invalid("hours", _("Between two waves lie 1 to %(n)s hours.") % {"n": f"{MAX_HOURS:g}"})
    return plan


def check_allocation(
    allocation: str, learning: Mapping[str, Any], *, messages: int, test_share: float, is_broadcast: bool
) -> None:
    """Raises InvalidCampaign with what to do."""
    if allocation not in Allocation.values:
        detail = _("Choose fixed, learning or personal.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/allocation", "detail": detail}])
    if allocation == Allocation.FIXED:
        return
    plan = read_plan(learning)
    if not is_broadcast:
        raise _invalid("", _("A triggered campaign has no waves: choose fixed shares."))
    if messages < 2:
        raise _invalid("", _("There is nothing to learn with one variant: add another."))
    if test_share < 1:
        raise _invalid("", _("Learning while sending needs the whole audience: set the test share to 100 %."))
    if not 0 < plan.floor * messages <= 1:
        raise _invalid(
            "floor",
            _("Every message keeps a chance above 0, at most %(most)s with so many messages.")
            % {"most": f"{1 / messages:.2f}"},
        )
    metric_of(plan)


def metric_of(plan: LearningPlan) -> Metric:
    """What is learned from: quick outcomes teach sooner. Raises InvalidCampaign."""
    usable = [one for one in Metric.objects.filter(archived_at=None) if is_one_number(one)]
    if plan.metric:
        found = next((one for one in usable if one.key == plan.metric), None)
        if found is None:
            raise _invalid(
                "metric", _("Choose a metric that is one number per customer: no ratio and no quantile.")
            )
        return found
    quick = [one for one in usable if one.scope == MetricScope.EXPERIMENT and one.direction == "up"]
    if not usable:
        raise _invalid("metric", _("Define a metric first: without one nothing can be learned."))
    # Clicks rather than opens, which machines make too.
    return next((one for one in quick if one.event == "Message Clicked"), (quick or usable)[0])


def _invalid(part: str, detail: str) -> InvalidCampaign:
    pointer = f"/learning/{part}" if part else "/allocation"
    return InvalidCampaign(detail, errors=[{"pointer": pointer, "detail": detail}])
