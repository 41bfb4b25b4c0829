"""What the report's parts and plots show of an experiment's newest stored result, whoever asks."""

from typing import Any

from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns import channels, selectors
from campaigns.reports.advice import advice
from campaigns.reports.allocation import allocation_context, learned_from
from campaigns.reports.groups import group_rows
from campaigns.reports.guards import beliefs, guardrails
from campaigns.reports.learned import learned_context
from campaigns.reports.tables import (
    NO_CHARTS,
    against_control,
    charts,
    tables,
    without_silence,
    without_uncounted,
)  # fmt: skip
from campaigns.reports.words import headline
from experiments import selectors as experiments
from experiments import tasks
from experiments.models import Analysis, Experiment
from experiments.reports import analyses
from experiments.reports.breakdown_words import breakdown_sentences
from experiments.reports.floored import floored
from experiments.reports.notices import notices
from experiments.reports.report import Finding, Report
from personalization.access.time_left import time_left

REPORT_SECONDS = 4  # however many people watch, it is put into words once in that time


def wish(experiment: Experiment) -> None:
    """Whoever looks at the page wants it fresh; a worker makes it so, the page is answered at once."""
    tasks.wish(experiment)


def analysis_context(experiment: Experiment, row: Analysis | None = None) -> dict[str, Any]:
    row = row or analyses.analysis_of(experiment)
    share = row.share_done
    return {
        "analysis": row, "experiment": experiment, "share": share, "percent": f"{share * 100:.0f} %",
        "left": time_left(row.started_at, share) if row.is_running else "",
    }  # fmt: skip


def found_of(experiment: Experiment, *, whole: bool) -> dict[str, Any]:
    """`context` of the parts, `charts`; at most seconds older than the stored result. `whole` for whoever may
    see personal data; else without what speaks of too few customers.
    """
    as_of = analyses.analysis_of(experiment).as_of
    if as_of is None:
        return {"context": {"headline": _first()}, "charts": NO_CHARTS}
    key = f"campaigns:report:{experiment.pk}:{get_language()}:{as_of.timestamp()}:{whole}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        stages = selectors.recent_stages(experiment)
        if stages is None:
            return {"context": {"headline": _counting()}, "charts": NO_CHARTS}
        result = experiments.newest_report(experiment, stages=stages, learned_from=learned_from(experiment))
        assert result is not None
        shown = without_silence(countable(experiment, result))
        found = _in_words(shown if whole else floored(shown))
        cache.set(key, found, REPORT_SECONDS)
    return found


def countable(experiment: Experiment, report: Report) -> Report:
    """The report without the metrics of which the campaign can hear nothing: a 0 there would be nobody's
    count. Page, files and API tell the same ones."""
    return without_uncounted(report, _uncounted(experiment))


def _uncounted(experiment: Experiment) -> frozenset[str]:
    """Of the default metrics, those of which the channel, or the campaign's wish, lets us hear nothing."""
    run = experiment.runs.order_by("number").first()
    if run is None:
        return frozenset()
    channel = channels.get(run.content.get("channel", run.campaign.channel))
    counts = {
        "opened": channel.tracks_opens,
        "clicked": channel.tracks_clicks and run.content.get("tracks_clicks", True),
    }
    return frozenset(key for key, is_counted in counts.items() if not is_counted)


def _in_words(result: Report) -> dict[str, Any]:
    is_withheld = result.verdict.finding is Finding.WITHHELD
    return {
        "context": {
            "is_withheld": is_withheld,
            "headline": headline(result),
            "advice": advice(result),
            "tables": tables(result),
            "against_control": against_control(result),
            "ratio": _ratio(result),
            "notices": notices(result),
            "guardrails": guardrails(result),
            "beliefs": beliefs(result),
            "allocation": allocation_context(result),
            "learned": learned_context(result),
            "breakdown": breakdown_sentences(result, result.breakdown) if result.breakdown else None,
            "breakdown_rows": group_rows(result),
            "breakdown_least": result.breakdown.least if result.breakdown else 0,
        },
        "charts": {**charts(result), "isWithheld": is_withheld},
    }


def _first() -> dict[str, str]:
    return {
        "tone": "plain",
        "sentence": _("The first analysis is under way."),
        "detail": _("What was found appears here by itself."),
    }


def _counting() -> dict[str, str]:
    return {
        "tone": "plain",
        "sentence": _("The messages are being counted."),
        "detail": _("What was found appears here by itself."),
    }


def _ratio(result: Report) -> dict[str, Any] | None:
    if result.sample_ratio is None:
        return None
    return {
        "mismatch": result.sample_ratio.mismatch,
        "p": f"{result.sample_ratio.p_value:.3g}",
        "rows": [
            (variant.name, observed, round(expected))
            for variant, observed, expected in zip(
                result.variants, result.sample_ratio.observed, result.sample_ratio.expected, strict=True
            )
        ],
    }
