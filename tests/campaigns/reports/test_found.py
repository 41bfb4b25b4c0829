"""What a report shows of a run: nothing that its channel, or the campaign's wish, lets nobody count."""

from typing import Any

import pytest

from campaigns import services
from campaigns.reports.found import _uncounted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("channel", "tracks_clicks", "uncounted"),
    [
        ("email", True, set()), ("email", False, {"clicked"}), ("sms", True, {"opened"}),
        ("sms", False, {"opened", "clicked"}), ("whatsapp", True, set()),
        ("webhook", True, {"opened", "clicked"}),
    ],
)  # fmt: skip
def test_a_report_knows_what_nobody_counts(
    channel: str, tracks_clicks: bool, uncounted: set[str], make_customers: Any, make_campaign: Any
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(tracks_clicks=tracks_clicks), actor="test")
    run.content = {**run.content, "channel": channel}
    run.save(update_fields=["content"])
    assert _uncounted(run.experiment) == uncounted
