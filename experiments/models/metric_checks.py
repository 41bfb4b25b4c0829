"""Whether a metric's definition makes sense; every error says what to do."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from experiments import metrics

if TYPE_CHECKING:
    from experiments.models import Metric


def check_metric(metric: "Metric") -> None:
    """Raises ValidationError with a message for each field."""
    if metric.kind not in metrics.names():
        names = ", ".join(metrics.names())
        raise ValidationError(
            {"kind": _("There is no such kind; choose one of: %(names)s.") % {"names": names}}
        )
    kind = metrics.get(metric.kind)
    errors = {}
    for setting, is_set in _settings(metric).items():
        if is_set and setting not in kind.needs | kind.allows:
            errors[setting] = _("A metric of this kind has no such setting; leave it empty (or 0).")
        elif not is_set and setting in kind.needs:
            errors[setting] = _NEEDED[setting]()
    if metric.window_days <= metric.from_day:
        errors["window_days"] = _("Counting must end after it began: choose a later day.")
    if metric.cap is not None and metric.cap <= 0:
        errors["cap"] = _("The cap must be above 0.")
    if metric.quantile is not None and not 0 < metric.quantile < 1:
        errors["quantile"] = _("A quantile lies between 0 and 1, for example 0.9.")
    if bool(metric.property_name) != bool(metric.property_value):
        errors["property_value"] = _("Give both the property and its value, or neither.")
    errors |= _check_margin(metric)
    if errors:
        raise ValidationError(errors)


def _settings(metric: "Metric") -> dict[str, bool]:
    return {
        "denominator_event": bool(metric.denominator_event),
        "quantile": metric.quantile is not None,
        "from_day": metric.from_day > 0,
        "cap": metric.cap is not None,
        "covariate_days": metric.covariate_days > 0,
    }


_NEEDED = {
    "denominator_event": lambda: _("Name the event whose number divides."),
    "quantile": lambda: _("Say which quantile, for example 0.9."),
    "from_day": lambda: _("Say from which day on coming back counts, for example 7."),
}


def _check_margin(metric: "Metric") -> dict[str, str]:
    if metric.role == "guardrail" and (metric.margin is None or metric.margin <= 0):
        return {"margin": _("A guardrail needs a margin above 0: the harm that you would still accept.")}
    if metric.role != "guardrail" and metric.margin is not None:
        return {"margin": _("Only a guardrail has a margin; leave it empty.")}
    return {}
