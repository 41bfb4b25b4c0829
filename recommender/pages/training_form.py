"""The form that starts a training: algorithm, its parameters with their defaults, time for tuning, use."""

import inspect
import json
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from recommender import algorithms
from recommender.evaluation.tuning import AUTO, DEFAULT_SECONDS
from recommender.models import DecidingMetric
from recommender.pages.wording import algorithm_title

PREFIX = "p-"
NATURE, NEW, AGAIN = "", "new", "again"
USES = {"": None, NEW: False, AGAIN: True}
# Those that most algorithms share; the others are shown as they are called in the code.
PARAMETERS = {
    "factors": gettext_noop("Factors"),
    "dimensions": gettext_noop("Dimensions"),
    "regularization": gettext_noop("Regularization"),
    "alpha": gettext_noop("Trust in repeated events (alpha)"),
    "iterations": gettext_noop("Iterations"),
    "epochs": gettext_noop("Epochs"),
    "learning_rate": gettext_noop("Learning rate"),
    "seed": gettext_noop("Seed of chance"),
    "neighbors": gettext_noop("Neighbors"),
    "similarity": gettext_noop("Similarity"),
    "shrinkage": gettext_noop("Shrinkage"),
    "centering": gettext_noop("Centering"),
    "dropout": gettext_noop("Dropout"),
    "layers": gettext_noop("Layers"),
    "heads": gettext_noop("Heads of attention"),
    "length": gettext_noop("Events looked back"),
    "batch_size": gettext_noop("Batch size"),
    "patience": gettext_noop("Patience (epochs without gain)"),
    "max_seconds": gettext_noop("Longest training in seconds"),
    "half_life_days": gettext_noop("Half-life in days"),
    "memory_limit_mib": gettext_noop("Memory limit in MiB"),
    "words": gettext_noop("Most words kept"),
    "trees": gettext_noop("Trees"),
    "depth": gettext_noop("Depth"),
}


def parameter_title(name: str) -> str:
    return _(PARAMETERS[name]) if name in PARAMETERS else name.replace("_", " ")


class TrainingForm(forms.Form):
    """Bound or not, it has a field `p-<name>` for each parameter of the algorithm in `algorithm`.

    `kwargs` gives what is read from it: the keyword arguments of `services.train`. Parameters left at their
    default are left out, so that tuning may choose them.
    """

    algorithm = forms.ChoiceField(label=gettext_lazy("Recommender"))
    use = forms.ChoiceField(label=gettext_lazy("Use"), required=False)
    metric = forms.ChoiceField(
        label=gettext_lazy("Decided by"), choices=DecidingMetric, initial=DecidingMetric.NDCG
    )
    budget_seconds = forms.IntegerField(
        label=gettext_lazy("Seconds for tuning"), required=False, min_value=1, max_value=86_400
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = (AUTO, *algorithms.names())
        self._offer("algorithm", [(name, algorithm_title(name)) for name in names])
        uses = [
            (NATURE, _("As suits the recommender")),
            (NEW, _("Items that are new to a customer")),
            (AGAIN, _("Also what a customer has already")),
        ]
        self._offer("use", uses)
        self.fields["budget_seconds"].help_text = _(
            "Empty: no tuning; the automatic choice takes %(n)s seconds then."
        ) % {"n": DEFAULT_SECONDS}
        self.kind = _kind(self["algorithm"].value() or AUTO)
        if self.kind is not None:
            for parameter in inspect.signature(self.kind).parameters.values():
                self.fields[PREFIX + parameter.name] = _field(self.kind, parameter)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "b-input"

    @property
    def parameter_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    @property
    def kwargs(self) -> dict[str, Any]:
        return {
            "algorithm": self.cleaned_data["algorithm"],
            "parameters": self._parameters(),
            "repeats": USES[self.cleaned_data["use"]],
            "metric": self.cleaned_data["metric"],
            "budget_seconds": self.cleaned_data["budget_seconds"],
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.kind is not None and not self.errors:
            try:
                self.kind(**self._parameters())
            except (TypeError, ValueError) as error:
                self.add_error(self._named_in(str(error)), str(error))
        return cleaned

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def _named_in(self, message: str) -> str | None:
        """The field of the parameter that an algorithm's message speaks of."""
        named = [f.name for f in self.parameter_fields if f.name.removeprefix(PREFIX) in message]
        return named[0] if named else None

    def _parameters(self) -> dict[str, Any]:
        if self.kind is None:
            return {}
        found = {}
        for parameter in inspect.signature(self.kind).parameters.values():
            value = self.cleaned_data.get(PREFIX + parameter.name)
            if value is None or value == "":
                continue
            if isinstance(parameter.default, float) and isinstance(value, int):
                value = float(value)
            if value != parameter.default:
                found[parameter.name] = value
        return found


class JsonOrText(forms.CharField):
    """A number, a list or null where the text is JSON, else the text itself."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text


def initial_of(algorithm: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the form begins with, to train one run's recipe again."""
    return {"algorithm": algorithm, **{PREFIX + name: _shown(value) for name, value in parameters.items()}}


def _shown(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _kind(name: str) -> type[algorithms.Recommender] | None:
    try:
        return None if name == AUTO else algorithms.get(name)
    except algorithms.UnknownAlgorithmError:
        return None


def _field(kind: type[algorithms.Recommender], parameter: inspect.Parameter) -> forms.Field:
    default = parameter.default
    tried = kind.search_space.get(parameter.name)
    options: dict[str, Any] = {
        "label": parameter_title(parameter.name),
        "required": False,
        "initial": default,
        "help_text": _help(default, tried),
    }
    if isinstance(default, bool):
        return forms.BooleanField(**options)
    if tried is not None and tried[0] == "choice" and all(isinstance(value, str) for value in tried[1:]):
        values = dict.fromkeys([default, *tried[1:]]) if isinstance(default, str) else tried[1:]
        return forms.ChoiceField(choices=[(value, value) for value in values], **options)
    if isinstance(default, int):
        return forms.IntegerField(**options)
    if isinstance(default, float):
        return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **options)
    return JsonOrText(max_length=500, **options)


def _help(default: Any, tried: tuple[Any, ...] | None) -> str:
    words = [_("Default: %(value)s.") % {"value": _("by itself") if default is None else default}]
    if tried is not None and tried[0] == "choice":
        values = ", ".join(_("by itself") if value is None else str(value) for value in tried[1:])
        words.append(_("Tuning tries %(values)s.") % {"values": values})
    elif tried is not None:
        words.append(_("Tuning tries %(low)s to %(high)s.") % {"low": tried[1], "high": tried[2]})
    return " ".join(words)
