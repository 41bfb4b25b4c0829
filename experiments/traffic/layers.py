"""The parts of a layer: which are taken, which are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from experiments.models import Experiment, Layer


@dataclass(frozen=True)
class LayerPart:
    """[start, end) of a layer, in steps of 1/10,000 as the hash has them."""

    layer: Layer
    start: Decimal
    end: Decimal

    def overlaps(self, other: "LayerPart") -> bool:
        return self.start < other.end and other.start < self.end


def taken_parts(layer: Layer) -> list[LayerPart]:
    """Of experiments that have not ended, in order."""
    rows = Experiment.objects.filter(layer=layer, ended_at=None, layer_start__isnull=False)
    return [
        LayerPart(layer, start, end)
        for start, end in rows.order_by("layer_start").values_list("layer_start", "layer_end")
        if start is not None and end is not None
    ]


def free_parts(taken: Sequence[LayerPart]) -> list[tuple[Decimal, Decimal]]:
    """What `taken` (in order) leaves of [0, 1)."""
    bounds = [Decimal(0), *(bound for part in taken for bound in (part.start, part.end)), Decimal(1)]
    return [(low, high) for low, high in zip(bounds[::2], bounds[1::2], strict=True) if low < high]


def free_text(taken: Sequence[LayerPart]) -> str:
    parts = free_parts(taken)
    if not parts:
        return _("nothing is free")
    return ", ".join(
        _("%(low)s to %(high)s") % {"low": f"{low.normalize():f}", "high": f"{high.normalize():f}"}
        for low, high in parts
    )
