"""Studies after the report, for whoever may not see personal data: no figure in them speaks of fewer
than `K_ANONYMITY` customers. Changed in place and for showing only: never save them.

One of which it is not known on whom it stands, as it was made before that was kept, is not told.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from experiments.models import LongRunStudy, TargetingStudy
from experiments.reports.floored import speaks_of_few
from experiments.stats import Mean, Proportion
from personalization.privacy.floor import is_reportable


def told_long_run(study: LongRunStudy, *, whole: bool) -> bool:
    """Leaves the weeks that may be told; False when the newest is none of them, and then none is left."""
    if whole or not study.weeks:
        return True
    told = [week for week in study.weeks if _is_told(week)]
    study.weeks = told if told and told[-1] is study.weeks[-1] else []
    return bool(study.weeks)


def told_targeting(study: TargetingStudy, *, whole: bool) -> bool:
    """Without the groups of a trait one of which is small; False when nothing can be told, and then nothing
    is left but what was asked."""
    document = study.document
    if whole or document is None:
        return True
    if any(_are_few(sums) for sums in _sums(document)):
        study.document, study.offer = None, ""
        return False
    for breakdown in document["subgroups"]["breakdowns"]:
        if any(_are_few((level["control"], level["treatment"])) for level in breakdown["levels"]):
            breakdown["levels"] = []
    return True


def _is_told(week: Mapping[str, Any]) -> bool:
    return is_reportable(week["messages"]) and not _are_few(week.get("sums"))


def _sums(document: Mapping[str, Any]) -> Iterable[Any]:
    yield document.get("sums")
    for name in ("model", "rule"):
        if document[name]:
            yield document[name].get("sums")


def _are_few(sums: Iterable[Mapping[str, Any]] | None) -> bool:
    return sums is None or any(
        speaks_of_few(Proportion(**one) if "successes" in one else Mean(**one)) for one in sums
    )
