"""Lists as the rules say, one customer after the other in plain Python: what the compiled ones must equal."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from recommender.ranking.rules import Rules


def choose(
    ranked: Iterable[int],
    *,
    k: int,
    rules: Rules,
    allowed: Mapping[int, str],
    bought: Collection[int],
    left_out: Collection[int] = (),
) -> list[int]:
    """At most k items of `ranked` (best first) that obey every rule, the pinned ones first, none twice.

    `allowed` has the narrowest category of each item that may be shown to anybody now, empty for none.
    """
    chosen: list[int] = []
    per_category: Counter[str] = Counter()
    for item in [*rules.pinned, *ranked]:
        fits = item in allowed and item not in rules.not_items and item not in left_out and item not in chosen
        if rules.bought != "allow":
            fits = fits and (item in bought) == (rules.bought == "only")
        is_full = (
            rules.max_per_category is not None
            and fits
            and allowed[item]
            and (per_category[allowed[item]] >= rules.max_per_category)
        )
        if fits and not is_full and len(chosen) < k:
            per_category[allowed[item]] += 1
            chosen.append(item)
    return chosen
