"""A plan from few wishes and good defaults, so that a marketer need not fill in anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext as _

from experiments.decisions import Criteria, Guardrail, Method, NonsenseCriteria
from experiments.decisions.criteria import Direction
from experiments.errors import InvalidPlan
from experiments.models import Experiment, Metric, MetricRole, MetricScope
from experiments.plans.words import explain_problem

WINNER_DAYS = 2.0  # how long a test waits before the rest of the audience gets the winner
MARGIN = 0.002  # of a share: a fifth of a percentage point
WISHES = frozenset(
    {
        "metric", "baseline", "method", "looks", "length_days", "min_days", "alpha", "power",
        "minimum_effect", "guardrails",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Entrant:
    """A variant as the plan sees it."""

    key: str
    is_control: bool


def draft_criteria(
    entrants: Sequence[Entrant], *, wishes: Mapping[str, Any], start: datetime, is_winner_test: bool = False
) -> Criteria:
    """The wishes, completed by what suits most shops. Raises InvalidPlan naming every field at fault.

    The baseline is the control group; in a test for the winner, which is between messages, the first message.
    `looks` may be shares of the length or dates.
    """
    if unknown := sorted(set(wishes) - WISHES):
        raise _invalid((name, _("There is no such part of a plan.")) for name in unknown)
    metrics = {metric.key: metric for metric in Metric.objects.filter(archived_at=None)}
    metric = _primary(metrics, wishes)
    baseline = str(wishes.get("baseline") or _baseline(entrants, is_winner_test=is_winner_test))
    method = _method(wishes)
    default = min(WINNER_DAYS, metric.window_days) if is_winner_test else float(metric.window_days)
    length = _number(wishes, "length_days", default)
    looks, length = _looks(wishes, method, length, start)
    criteria = make_criteria(
        metric=metric.key,
        direction=metric.direction,
        baseline=baseline,
        method=method,
        looks=looks,
        length_days=length,
        min_days=_number(wishes, "min_days", _min_days(method, looks, length)),
        alpha=_number(wishes, "alpha", 0.05),
        power=_number(wishes, "power", 0.8),
        minimum_effect=_number(wishes, "minimum_effect", 0.1),
        guardrails=_guardrails(wishes, metrics, entrants, baseline),
    )
    _check_comparable(criteria, metrics, entrants)
    return criteria


def entrants_of(experiment: Experiment) -> list[Entrant]:
    return [Entrant(v.key, v.is_control) for v in experiment.variants.order_by("position")]


def make_criteria(**fields: Any) -> Criteria:
    try:
        return Criteria(**fields)
    except NonsenseCriteria as error:
        raise _invalid((field, explain_problem(problem)) for field, problem in error.problems) from error
    except TypeError as error:
        raise InvalidPlan(_("The plan has parts of the wrong kind.")) from error


def _invalid(problems: Any) -> InvalidPlan:
    errors = [{"pointer": f"/plan/{field}", "detail": str(detail)} for field, detail in problems]
    return InvalidPlan(" ".join(error["detail"] for error in errors), errors=errors)


def _primary(metrics: Mapping[str, Metric], wishes: Mapping[str, Any]) -> Metric:
    wanted = wishes.get("metric")
    if wanted:
        if wanted not in metrics:
            raise _invalid([("metric", _("There is no metric “%(key)s”.") % {"key": wanted})])
        return metrics[wanted]
    chosen = next((metric for metric in metrics.values() if metric.is_primary), None)
    chosen = chosen or next(iter(metrics.values()), None)
    if chosen is None:
        raise _invalid([("metric", _("Define a metric first: without one nothing can be judged."))])
    return chosen


def _baseline(entrants: Sequence[Entrant], *, is_winner_test: bool) -> str:
    messages = [one.key for one in entrants if not one.is_control]
    control = next((one.key for one in entrants if one.is_control), "")
    if is_winner_test and len(messages) > 1:
        return messages[0]
    return control or (messages[0] if messages else "")


def _method(wishes: Mapping[str, Any]) -> Method:
    try:
        return Method(wishes.get("method") or Method.GROUP_SEQUENTIAL)
    except ValueError:
        raise _invalid([("method", _("Choose fixed, group_sequential or always_valid."))]) from None


def _number(wishes: Mapping[str, Any], name: str, default: float) -> float:
    value = wishes.get(name)
    if value in (None, ""):
        return default
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _invalid([(name, _("This must be a number."))])
    try:
        return float(value)
    except ValueError:
        raise _invalid([(name, _("This must be a number."))]) from None


def _looks(
    wishes: Mapping[str, Any], method: Method, length: float, start: datetime
) -> tuple[tuple[float, ...], float]:
    """Shares of the length, and the length: dates fix both."""
    given = wishes.get("looks")
    if method is not Method.GROUP_SEQUENTIAL and not given:
        return (1.0,), length
    if not given:
        return default_looks(length), length
    if not isinstance(given, list | tuple):
        raise _invalid([("looks", _("Give a list of shares of the length, or of dates."))])
    if all(isinstance(look, int | float) and not isinstance(look, bool) for look in given):
        return tuple(float(look) for look in given), length
    days = [_days_until(look, start) for look in given]
    if not days[-1] > 0:
        raise _invalid([("looks", _("The last look must lie after the start."))])
    return tuple(day / days[-1] for day in days), days[-1]


def _days_until(look: object, start: datetime) -> float:
    try:
        at = parse_datetime(str(look))
        if at is None or len(str(look)) <= 10:
            day = parse_date(str(look))
            at = datetime(day.year, day.month, day.day) if day else None
    except ValueError:
        at = None
    if at is None:
        raise _invalid([("looks", _("“%(look)s” is neither a share nor a date.") % {"look": str(look)[:40]})])
    return ((make_aware(at) if is_naive(at) else at) - start) / timedelta(days=1)


def default_looks(length_days: float) -> tuple[float, ...]:
    """Once a week, so that every look has seen whole weeks; a short test from its middle on."""
    if length_days >= 14:
        weeks = range(1, int((length_days - 0.5) // 7) + 1)
        return (*(week * 7 / length_days for week in weeks), 1.0)
    return (0.5, 0.75, 1.0)


def _min_days(method: Method, looks: tuple[float, ...], length: float) -> float:
    return looks[0] * length if method is Method.GROUP_SEQUENTIAL and looks else min(1.0, length)


def _guardrails(
    wishes: Mapping[str, Any],
    metrics: Mapping[str, Metric],
    entrants: Sequence[Entrant],
    baseline: str,
) -> tuple[Guardrail, ...]:
    given = wishes.get("guardrails")
    if given is None:
        wanted = [
            {"metric": metric.key}
            for metric in metrics.values()
            if metric.role == MetricRole.GUARDRAIL and _is_comparable(metric, entrants, baseline)
        ]
    elif isinstance(given, list | tuple) and all(isinstance(one, Mapping) for one in given):
        wanted = list(given)
    else:
        raise _invalid([("guardrails", _("Give a list of guardrails, each with its metric and margin."))])
    found: list[Guardrail] = []
    for one in wanted:
        metric = metrics.get(str(one.get("metric")))
        if metric is None:
            raise _invalid([("guardrails", _("There is no metric “%(key)s”.") % {"key": one.get("metric")})])
        direction: Direction = "up" if metric.direction == "up" else "down"
        margin = _number(one, "margin", metric.margin or MARGIN)
        found.append(Guardrail(metric.key, direction, margin, bool(one.get("is_relative", False))))
    return tuple(found)


def _is_comparable(metric: Metric, entrants: Sequence[Entrant], baseline: str) -> bool:
    """Nobody opens or leaves by a mail that was not sent: such metrics need a mailed baseline."""
    is_control = any(one.is_control and one.key == baseline for one in entrants)
    return not (is_control and metric.scope == MetricScope.EXPERIMENT)


def _check_comparable(criteria: Criteria, metrics: Mapping[str, Metric], entrants: Sequence[Entrant]) -> None:
    problems = []
    if criteria.baseline not in {one.key for one in entrants}:
        problems.append(("baseline", _("The baseline must be one of the variants.")))
    detail = _(
        "“%(metric)s” happens only to those who get a message: compare two messages, or choose another."
    )
    for field, key in [("metric", criteria.metric), *(("guardrails", g.metric) for g in criteria.guardrails)]:
        if not _is_comparable(metrics[key], entrants, criteria.baseline):
            problems.append((field, detail % {"metric": metrics[key].name}))
    if problems:
        raise _invalid(problems)
