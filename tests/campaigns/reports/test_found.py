"""What a report shows of a run: nothing that its channel, or the campaign's wish, lets nobody count."""

from typing import Any

import pytest
from django.test import Client

from campaigns import services
from campaigns.reports.found import _uncounted
from experiments.services import ensure_default_metrics
from personalization.access.services import create_key


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


@pytest.mark.django_db
@pytest.mark.parametrize("tracks_clicks", [True, False])
def test_programs_are_told_no_clicks_where_nobody_counts_them(
    tracks_clicks: bool, make_customers: Any, make_campaign: Any, analyse: Any
) -> None:
    ensure_default_metrics()
    make_customers(4)
    run = services.launch(make_campaign(tracks_clicks=tracks_clicks), actor="test")
    analyse(run.experiment)
    _key, token = create_key(name="reader", scopes=["campaigns:read"])
    path = f"/api/v1/experiments/{run.experiment.key}/report"
    answer = Client().get(path, headers={"authorization": f"Bearer {token}"})
    told = {metric["key"] for metric in answer.json()["metrics"]}
    assert "opened" in told and ("clicked" in told) == tracks_clicks
