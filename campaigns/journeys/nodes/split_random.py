"""Several ways by chance, decided by an experiment: it keeps who went where, and judges what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong
from experiments import services as experiments
from experiments.models import Experiment

MAX_WAYS = 10


class SplitRandomNode(Node):
    """`params["experiment"]` is set when the journey is published."""

    name = "split_random"
    label = gettext_lazy("Split by chance")
    icon = "shuffle"
    fields = (
        Field(
            "ways", gettext_lazy("Shares"), "ways", default={"a": 1, "b": 1},
            help=gettext_lazy("One way a line, as name: weight. The others are compared with the first."),
        ),
    )  # fmt: skip

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        ways = params.get("ways")
        return tuple(str(key) for key in ways) if isinstance(ways, Mapping) and ways else ("a", "b")

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        ways = params.get("ways")
        if not isinstance(ways, Mapping) or name not in ways:
            return name
        return f"{name} {ways[name] / sum(ways.values()):.0%}"

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        ways = params.get("ways")
        if not isinstance(ways, Mapping) or not 2 <= len(ways) <= MAX_WAYS:
            yield "ways", _("Name between 2 and %(n)s ways.") % {"n": MAX_WAYS}
        elif not all(isinstance(w, int | float) and w > 0 for w in ways.values()):
            yield "ways", _("A weight is greater than 0.")
        elif not all(str(key).isidentifier() and len(str(key)) <= 30 for key in ways):
            yield "ways", _("The name of a way has letters, digits and _.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return " / ".join(str(self.exit_label(name, params)) for name in self.exits(params))

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        experiment = Experiment.objects.get(pk=place.params["experiment"])
        keys = dict(experiment.variants.values_list("pk", "key"))
        drawn = experiments.assign(experiment, [one.customer_id for one in travelers], at=place.now)
        first = self.exits(place.params)[0]
        return {
            one.id: Move(keys.get(drawn.get(one.customer_id, (None, 0.0))[0], first)) for one in travelers
        }


def open_experiment(params: Mapping[str, Any], *, key: str, name: str, at: Any) -> Experiment:
    """The experiment of a node that is published for the first time, or with other ways than before."""
    ways = {str(way): float(weight) for way, weight in params["ways"].items()}
    total = sum(ways.values())
    experiment = experiments.create_experiment(
        key=key,
        name=name,
        variants=[
            experiments.VariantSpec(key=way, name=way, weight=weight / total, is_control=index == 0)
            for index, (way, weight) in enumerate(ways.items())
        ],
    )
    experiments.start_experiment(experiment, at=at)
    return experiment
