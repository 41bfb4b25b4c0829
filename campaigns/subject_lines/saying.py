"""The sentences beside the subject in the editor."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from campaigns.subject_lines.learning import known
from campaigns.subject_lines.model import Trained

SHOWN = 3  # terms named
LEAST = 0.02  # of the log-odds


def outlook_of(subject: str) -> list[dict[str, Any]]:
    """A sentence for opens and for clicks with the evidence behind it; [] when nothing can be said."""
    if not subject.strip():
        return []
    found = []
    for kind, sentence in (
        (
            "open",
            _("About %(rate)s will open it (8 of 10 such subjects: %(low)s to %(high)s)."),
        ),
        ("click", _("About %(rate)s will click (8 of 10 such subjects: %(low)s to %(high)s).")),
    ):
        model = known(kind)
        if model is not None and model.speaks:
            found.append({"text": sentence % _rates(model, subject), "detail": _evidence(model, subject)})
    return found


def _rates(model: Trained, subject: str) -> dict[str, str]:
    rate = model.predict(subject)
    return {
        "rate": _percent(rate), "low": _percent(rate * model.low),
        "high": _percent(min(rate * model.high, 1)),
    }  # fmt: skip


def _evidence(model: Trained, subject: str) -> str:
    facts = {
        "average": _percent(model.average), "lines": number_format(model.lines),
        "gain": _percent(max(model.gain, 0)), "low": _percent(model.gain_low),
        "high": _percent(model.gain_high),
    }  # fmt: skip
    text = (
        _(
            "Average %(average)s. Learned from %(lines)s subjects of yours; on subjects it had not seen it "
            "told %(gain)s of their differences (%(low)s to %(high)s). "
            "What went along is not what caused it: test it."
        )
        % facts
    )
    shares = model.shares(subject)
    for sign, sentence in ((1, _("Went along with more: %(terms)s.")), (-1, _("With less: %(terms)s."))):
        terms = sorted((t for t, s in shares.items() if s * sign > LEAST), key=lambda t: -abs(shares[t]))
        if terms:
            text += " " + sentence % {"terms": ", ".join(f"“{term}”" for term in terms[:SHOWN])}
    return text


def _percent(share: float) -> str:
    return f"{number_format(round(share * 100, 1), 1)} %"
