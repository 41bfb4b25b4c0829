import pytest

from campaigns.reports.tables import charts, tables, with_sent, without_silence, without_uncounted
from campaigns.reports.words import obstacle_text
from experiments.reports.judging import compare_all
from experiments.reports.report import MetricReport, Report, VariantSummary
from experiments.reports.sentence import explain_note
from experiments.stats import Mean, Note, Obstacle, Proportion


def notes_of(control, treatment):
    """What the one table of a report of these two says below its rows."""
    statistics = {"control": control, "a": treatment}
    metric = MetricReport(
        key="m", name="M", kind="conversion", event="Order Completed", direction="up", scope="customer",
        window_days=14, is_primary=True, statistics=statistics, baseline="control",
        comparisons=compare_all(statistics, "control", simultaneous=True),
    )  # fmt: skip
    variants = tuple(
        VariantSummary(key, key, key == "control", 0.5, one.n) for key, one in statistics.items()
    )
    report = Report(
        key="k", name="K", as_of=None, started_at=None, ended_at=None, alpha=0.05, variants=variants,
        sample_ratio=None, metrics=(metric,),
    )  # fmt: skip
    return tables(report)[0]["notes"]


@pytest.mark.parametrize(
    ("control", "treatment", "notes"),
    [
        (Proportion(5_000, 500), Proportion(5_000, 600), []),
        # One of a thousand bought: the intervals are score intervals.
        (Proportion(1_000, 1), Proportion(1_000, 6), [Note.SMALL_COUNTS]),
        # A mean of 1 with a standard error of 3.2.
        (Mean(1_000, 1_000, 1e7), Mean(1_000, 9_000, 1e7), [Note.CONTROL_NEAR_ZERO]),
    ],
)
def test_a_table_says_what_its_reader_must_know_beside_the_numbers(control, treatment, notes):
    assert notes_of(control, treatment) == [explain_note(note) for note in notes]


@pytest.mark.parametrize("note", Note)
def test_every_note_has_words(note):
    assert explain_note(note)


@pytest.mark.parametrize("reason", Obstacle)
def test_every_missing_number_has_a_reason_in_words(reason):
    assert obstacle_text(reason)


def heard_of(*, uncounted, clicked=0):
    """Metrics and funnel of a report of ten messages, of which so many were clicked."""
    metrics = [
        MetricReport(
            key=key, name=key, kind="conversion", event="E", direction="up", scope=scope, window_days=14,
            is_primary=key == "conversion", statistics={"a": Proportion(10, n)}, baseline="a", comparisons=(),
        )
        for key, scope, n in (
            ("conversion", "customer", 0), ("opened", "experiment", 0), ("clicked", "experiment", clicked)
        )
    ]  # fmt: skip
    report = Report(
        key="k", name="K", as_of=None, started_at=None, ended_at=None, alpha=0.05,
        variants=(VariantSummary("a", "A", False, 1.0, 10),), sample_ratio=None, metrics=tuple(metrics),
        stage_counts={"sent": (10,)},
    )  # fmt: skip
    heard = without_silence(without_uncounted(report, uncounted))
    return {one.key for one in heard.metrics}, charts(heard)["funnel"][0]["counts"]


def test_what_nobody_counts_is_no_nought():
    assert heard_of(uncounted=[]) == ({"conversion", "opened", "clicked"}, [0, 0, 0])
    assert heard_of(uncounted=["opened"]) == ({"conversion", "clicked"}, [None, 0, 0])
    assert heard_of(uncounted=["opened", "clicked"]) == ({"conversion"}, [None, None, 0])
    # What was heard all the same, for example before the wish was changed, is shown.
    assert heard_of(uncounted=["clicked"], clicked=2) == ({"conversion", "opened", "clicked"}, [0, 2, 0])


def test_the_funnel_begins_with_what_the_ledger_says_now():
    kept = {"forest": [], "funnel": [{"key": "a", "variant": "A", "counts": [3, 2, 1]}]}
    shown = with_sent(kept, {"variants": {"a": {"sent": 10}}})
    assert shown["funnel"][0]["counts"] == [10, 3, 2, 1]
    assert kept["funnel"][0]["counts"] == [3, 2, 1], "the kept report stays as it is"


def test_a_variant_that_nobody_got_yet_begins_with_nought():
    kept = {"funnel": [{"key": "a", "variant": "A", "counts": [0, 0, 0]}]}
    assert with_sent(kept, {"variants": {}})["funnel"][0]["counts"] == [0, 0, 0, 0]
