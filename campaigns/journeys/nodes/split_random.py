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
            "ways", gettext_lazy("Shares"), "ways", default=[["a", 1], ["b", 1]],
            help=gettext_lazy("One way a line, as name: weight. The others are compared with the first."),
        ),
    )  # fmt: skip

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(ways_of(params)) or ("a", "b")

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        ways = ways_of(params)
        return f"{name} {ways[name] / sum(ways.values()):.0%}" if name in ways else name

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        ways = ways_of(params)
        if not 2 <= len(ways) <= MAX_WAYS or len(ways) != len(params["ways"]):
            yield (
                "ways",
                _("Name between 2 and %(n)s ways, each once, with a weight above 0.") % {"n": MAX_WAYS},
            )
        elif not all(key.isidentifier() and len(key) <= 30 for key in ways):
            yield "ways", _("The name of a way has letters, digits and _.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return " / ".join(str(self.exit_label(name, params)) for name in self.exits(params))

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        experiment = Experiment.objects.get(pk=place.params["experiment"])
        keys = dict(experiment.variants.values_list("pk", "key"))
        ids = [one.customer_id for one in travelers]
        drawn = experiments.assign(experiment, ids, at=place.now, is_kept=not place.is_test)
        first = self.exits(place.params)[0]
        found: dict[int, Move | Stay] = {}
        for one in travelers:
            variant, _chance = drawn.get(one.customer_id, (None, 0.0))
            found[one.id] = Move(first if variant is None else keys[variant])
        return found


def ways_of(params: Mapping[str, Any]) -> dict[str, float]:
    """Weight by name, in the order given: a list of pairs, since the database does not keep that of an
    object. What cannot be read is left out."""
    pairs = params.get("ways")
    return {
        str(pair[0]): float(pair[1])
        for pair in (pairs if isinstance(pairs, list) else ())
        if isinstance(pair, list | tuple)
        and len(pair) == 2
        and isinstance(pair[1], int | float)
        and pair[1] > 0
    }


def open_experiment(params: Mapping[str, Any], *, key: str, name: str, at: Any) -> Experiment:
    """The experiment of a node that is published for the first time, or with other ways than before."""
    ways = ways_of(params)
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
