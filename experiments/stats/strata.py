"""Customers sorted into cells by something known beforehand (country, last year's spend)."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.stats.adjusted import Adjusted, MultiAdjusted
from experiments.stats.columns import Columns
from experiments.stats.ratio import Ratio
from experiments.stats.sufficient import Mean, Proportion

Averaged = Mean | Proportion | Ratio | Adjusted | MultiAdjusted


@dataclass(frozen=True)
class Stratified:
    """One statistic for each cell, all of one kind; cells are compared with like cells (post-stratification).

    The cells must be known before the start. Raises ValueError without cells, TypeError for mixed kinds.
    """

    cells: Mapping[str, Averaged]

    def __post_init__(self) -> None:
        if not self.cells:
            raise ValueError("at least one cell is needed")
        if len({type(cell) for cell in self.cells.values()}) > 1:
            raise TypeError("all cells must hold the same kind of statistic")

    def __add__(self, other: "Stratified") -> "Stratified":
        joined = dict(self.cells)
        for key, cell in other.cells.items():
            joined[key] = joined[key] + cell if key in joined else cell  # type: ignore[operator]
        return Stratified(joined)

    @property
    def pooled(self) -> Averaged:
        """All customers together, whatever their cell."""
        first, *others = self.cells.values()
        for cell in others:
            first = first + cell  # type: ignore[operator]
        return first

    @property
    def n(self) -> int:
        return sum(cell.n for cell in self.cells.values())

    @property
    def value(self) -> float | None:
        """As measured, whatever the cell."""
        return self.pooled.value

    @property
    def variance(self) -> float | None:
        """Within cells, between customers; None while a cell has none."""
        parts = [(cell.n, cell.variance) for cell in self.cells.values() if cell.n]
        if not parts or any(variance is None for _, variance in parts):
            return None
        return sum(n * (variance or 0.0) for n, variance in parts) / self.n


def paired_cells(control: Stratified, treatment: Stratified) -> list[tuple[Columns, Columns]]:
    """The same cells of both sides; one too small or without any variation joins the largest.

    A cell that one side lacks joins the largest as well, so that nobody is left out.
    """
    keys = sorted(set(control.cells) | set(treatment.cells))
    sides = [(control.cells.get(key), treatment.cells.get(key)) for key in keys]
    sides.sort(key=lambda pair: -sum(cell.n for cell in pair if cell is not None))
    # The largest comes first; None and cells without variation are added to it below.
    kept: list[tuple[Columns, Columns]] = []
    loose: list[tuple[Columns | None, Columns | None]] = []
    for pair in sides:
        one, other = (cell.columns if cell is not None and cell.n else None for cell in pair)
        if one is not None and other is not None and _varies(one) and _varies(other):
            kept.append((one, other))
        else:
            loose.append((one, other))
    if not kept:
        return [(control.pooled.columns, treatment.pooled.columns)]
    first, second = kept[0]
    for one, other in loose:
        first = first if one is None else first + one
        second = second if other is None else second + other
    return [(first, second), *kept[1:]]


def _varies(columns: Columns) -> bool:
    covariates = len(columns.widths) - 1
    return columns.n > covariates + 1 and bool(columns.covariance()[0, 0] > 0)
