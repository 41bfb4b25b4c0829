"""What a rehearsal says is what the real run then does; and it leaves nothing behind."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from campaigns import ledger, selectors, services
from campaigns.models import Delivery, FrequencyCap, QuietHours, Run, SenderAccount, Touch
from campaigns.rehearsing.asking import ask_for_rehearsal
from campaigns.rehearsing.rehearsal import rehearse
from campaigns.tasks import run_rehearsal
from experiments.models import Experiment
from personalization.access.models import User

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 6, 1, 20, tzinfo=UTC)


def test_the_real_run_does_what_the_rehearsal_said(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    QuietHours.objects.create(starts_at="21:00", ends_at="08:00")
    FrequencyCap.objects.create(max_messages=1, window_hours=20)
    make_customers(20, time_zone="Europe/Berlin")
    make_customers(20, start=20, time_zone="America/New_York")
    make_customers(5, start=40, consent=False)
    with time_machine.travel(START - timedelta(hours=2)) as clock:
        earlier = make_campaign(timing={"window": {"from": "00:00", "until": "23:59"}})
        send_all(services.launch(earlier, actor="test"))
        campaign = make_campaign(control_share=0.3, timing={"cap_rule": "wait"})
        sent_before = len(sink.accepted)
        said = rehearse(campaign, at=START)
        assert Run.objects.count() == Experiment.objects.count() == 1 and len(sink.accepted) == sent_before
        assert Touch.objects.count() == Delivery.objects.filter(status="sent").count()
        clock.move_to(START)
        run = services.launch(campaign, actor="test")
        while run.status == "sending":
            send_all(run)
            due = (
                run.chunks.exclude(status="done").order_by("due_at").values_list("due_at", flat=True).first()
            )
            if due is not None:
                clock.move_to(max(due, timezone.now()))
            ledger.finish_runs(now=timezone.now())
            run.refresh_from_db()
    done = selectors.progress(run)
    days = Counter(at.date() for at in run.deliveries.filter(status="sent").values_list("sent_at", flat=True))
    assert (said.audience, said.sent, said.reasons) == (done["audience"], done["sent"], done["reasons"])
    assert said.days == dict(days) and said.sent > 20 and len(said.days) >= 1
    assert said.samples[0]["subject"].startswith("Hi Name")


def test_a_rehearsal_by_command(sink: Any, make_customers: Any, make_campaign: Any) -> None:
    make_customers(3)
    campaign = make_campaign()
    out, progress = StringIO(), StringIO()
    call_command("rehearse", str(campaign.pk), stdout=out, stderr=progress)
    assert "Audience 3, sent 3" in out.getvalue()
    assert progress.getvalue().strip().endswith("100%")
    assert campaign.runs.count() == 0


def test_a_rehearsal_says_when_the_last_message_leaves_behind_rate_and_warm_up(
    make_customers: Any, make_campaign: Any, client: Any
) -> None:
    make_customers(9)
    plan = {"volumes": [2, 3, 10], "starts_on": START.date().isoformat(), "zone": "UTC", "hour": 9}
    SenderAccount.objects.create(channel="email", name="New", warm_up=plan, pace={"per_second": 0.5})
    with time_machine.travel(START):
        campaign = make_campaign(timing={"per_second": 1})
        said = rehearse(campaign, at=START)
        client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
        asked = ask_for_rehearsal(campaign, at=None, days=5, actor="test")
        run_rehearsal(asked.pk)
        page = client.get(reverse("campaigns:rehearsal", args=[campaign.pk])).content.decode()
    first = START.date()
    assert said.days == {first: 2, first + timedelta(days=1): 3, first + timedelta(days=2): 4}
    # From nine o'clock of the third day, one in two seconds: the fourth after six.
    assert said.last_at == datetime(2026, 6, 3, 9, 0, 6, tzinfo=UTC)
    assert (said.sent, said.per_second, said.is_warming) == (9, 0.5, True)
    assert "about 37 hours after the beginning" in page and "At most 0.5 a second." in page
    assert "The sender warms up" in page
    with time_machine.travel(START):
        cut = rehearse(campaign, at=START, days=1)
    assert (cut.sent, cut.waiting) == (5, {"warm_up": 4})
