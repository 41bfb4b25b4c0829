"""What a red button does can be undone, or the page says beforehand that it cannot."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "templates"
RED, SAID = "b-btn-danger", "cannot be undone"
# How each of the others is undone.
UNDONE_BY = {
    "account/home.html": "the second factor is set up again",
    "campaigns/coupon_pool.html": "the pool is saved again",
    "campaigns/editor.html": "it asks first, and leaving without saving keeps the variant",
    "campaigns/editor_approval.html": "the campaign is sent for approval again",
    "campaigns/editor_languages.html": "it asks first, and leaving without saving keeps the language",
    "campaigns/report_analysis.html": "the analysis is asked for again",
    "campaigns/report_progress.html": "it asks first",
    "campaigns/report_share.html": "another address is made",
    "content/block.html": "the block is saved again",
    "content/phrase_set.html": "the phrase set is saved again",
    "customers/profile.html": "the address is freed again; the page of an erasure asks first",
    "journeys/journey.html": "the next page asks first",
    "journeys/panel.html": "the journey's own undo",
    "recommender/champion.html": "the other model is promoted again",
    "recommender/run_live.html": "the model is trained again",
    "shell/jobs_live.html": "the work is asked for again",
    "sources/import_live.html": "the import goes on where it ended",
}
BUTTONS = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html") if RED in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("template", BUTTONS)
def test_what_cannot_be_undone_is_said_beside_its_button(template: str) -> None:
    assert SAID in (ROOT / template).read_text(encoding="utf-8") or template in UNDONE_BY


def test_nothing_is_listed_that_has_no_red_button_any_more() -> None:
    assert set(UNDONE_BY) <= set(BUTTONS)
