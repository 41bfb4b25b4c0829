"""The first page: what needs whom, and that a part that hangs does not hold up the rest."""

from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.home.needs import needs_of
from campaigns.models import Campaign, Delivery, DeliveryStatus, Run, RunStatus
from experiments.models import LongRunStudy
from experiments.services import ensure_default_metrics
from experiments.traffic.holdouts import create_holdout
from personalization.access.jobs.row import JobStatus
from personalization.access.models import User
from personalization.access.services import ensure_roles
from personalization.config.heartbeat import note_heartbeat
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.privacy.models import PrivacyRequest, RequestKind
from personalization.segments.services import save_segment
from personalization.sources.models import Import, ImportStatus, Kind
from recommender.models import ModelRun
from recommender.models import RunStatus as TrainingStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return User.objects.create_superuser("kim")


def launched(keys="a"):
    definition = {"trait": "country", "op": "is", "value": "GB"}
    segment = save_segment(None, name="Britons", definition=definition).segment
    drafts = [
        services.MessageDraft(key=key, name=key, subject="Hi", body="{{ unsubscribe_url }}") for key in keys
    ]
    campaign = services.save_campaign(
        None, name="Spring", segment=segment, messages=drafts, sender_address="s@shop.example",
        control_share=0.0, actor="user:kim",
    )  # fmt: skip
    return services.launch(campaign, actor="user:kim")


@pytest.fixture
def run():
    Customer.objects.create(external_id="1", email="p@mail.example", country="GB", created_at=timezone.now())
    return launched()


def texts(user):
    return [need.text for need in needs_of(user, now=timezone.now()).found]


def test_where_nothing_is_wrong_nothing_is_asked(user, run):
    assert texts(user) == []


def test_failed_messages_a_pause_and_a_missed_launch_are_told(user, run):
    Delivery.objects.update(status=DeliveryStatus.FAILED)
    Run.objects.update(status=RunStatus.PAUSED)
    Campaign.objects.update(status="draft", problem="Nobody is in the segment.")
    assert texts(user) == [
        "“Spring” was not launched when it was due: Nobody is in the segment.",
        "“Spring” is paused.",
        "“Spring”: 1 message failed.",
    ]


def test_models_that_failed_or_grew_old_are_told(user):
    now = timezone.now()
    ModelRun.objects.create(algorithm="als", status=TrainingStatus.FAILED)
    ModelRun.objects.create(
        algorithm="ease", status=TrainingStatus.DONE, is_champion=True, data_until=now - timedelta(days=40),
        departed_ids=[1, 2],
    )  # fmt: skip
    failed, old, erased = texts(user)
    assert failed.startswith("The training of ")
    assert "knows nothing of the last 40 days" in old
    assert "2 customers who were erased since" in erased


def test_an_import_that_broke_and_a_request_that_is_nearly_late_are_told(user):
    Import.objects.create(kind=Kind.ITEMS, name="items.csv", status=ImportStatus.FAILED, actor="user:kim")
    now = timezone.now()
    for days in (2, 20):
        PrivacyRequest.objects.create(
            kind=RequestKind.ERASURE, asked_at=now, asked_by="user:kim", due_at=now + timedelta(days=days)
        )
    assert texts(user) == [
        "The import of “items.csv” failed.",
        "1 person must have their answer within seven days.",
    ]


def test_a_running_experiment_with_uneven_groups_is_an_alarm(user, analyse):
    """400 to 100 where halves were planned: a chance of about 10^-40."""
    ensure_default_metrics()
    people = Customer.objects.bulk_create(
        Customer(external_id=f"u-{n}", email=f"u{n}@mail.example", country="GB", created_at=timezone.now())
        for n in range(500)
    )
    order = NewEvent(people[0].pk, "o", "Order Completed", timezone.now())
    record_events([order])  # or there would be a second alarm: that the shop sends none
    run = launched(keys="ab")
    first, second = run.experiment.variants.order_by("position")
    run.experiment.assignments.update(variant=first)
    run.experiment.assignments.filter(customer__in=people[:100]).update(variant=second)
    assert texts(user) == []  # nothing was analysed yet
    analyse(run.experiment)
    cache.clear()
    (alarm,) = texts(user)
    assert alarm.startswith("“Spring”: The groups are not as large as planned")


def test_alarms_that_take_long_to_count_come_after_the_page(client, user, run, monkeypatch):
    client.force_login(user)
    home = reverse("admin:index")
    assert "Nothing needs you right now." in client.get(home).content.decode()
    cache.clear()
    monkeypatch.setattr("campaigns.home.needs.recent", lambda key, count: None)
    page = client.get(home).content.decode()
    assert "What the guards of running tests say follows in a moment." in page
    assert 'hx-select="#home-needs"' in page
    assert "Nothing needs you right now." not in page


def test_everybody_is_told_only_what_they_may_see(run):
    ensure_roles()
    Import.objects.create(kind=Kind.ITEMS, name="items.csv", status=ImportStatus.FAILED, actor="user:kim")
    Run.objects.update(status=RunStatus.PAUSED)
    viewer = User.objects.create_user("viewer", is_staff=True)
    assert texts(viewer) == []
    viewer.user_permissions.set(Permission.objects.filter(codename="view_import"))
    assert len(texts(User.objects.get(pk=viewer.pk))) == 1
    analyst = User.objects.create_user("analyst", is_staff=True)
    analyst.groups.add(Group.objects.get(name="Analyst"))
    assert len(texts(analyst)) == 2


def test_what_it_all_earned_is_told_with_its_interval_or_how_to_get_it(client, user, run):
    client.force_login(user)
    home = reverse("admin:index")
    assert "Keep a small group of customers out of everything" in client.get(home).content.decode()
    holdout = create_holdout(
        key="all", name="All", share=0.1, is_global=True, at=timezone.now(), actor="user:kim"
    )
    assert "The holdout “All” gets nothing" in client.get(home).content.decode()
    week = {"profit": {"value": 1200.0, "ci": [300.0, 2100.0]}, "messages": 4000}
    LongRunStudy.objects.create(
        holdout=holdout, as_of=timezone.now(), weeks=[week], status=JobStatus.DONE
    )  # fmt: skip
    page = client.get(home).content.decode()
    assert "4,000 messages earned +1,200 in all, after what they cost (95 % interval +300 to +2,100)" in page


def test_the_table_asks_again_only_while_something_goes_out(client, user, run):
    client.force_login(user)
    assert "every 3s" in client.get(reverse("campaigns:live")).content.decode()
    Run.objects.update(status=RunStatus.FINISHED)
    assert "every 3s" not in client.get(reverse("campaigns:live")).content.decode()


def test_workers_that_are_silent_are_told(client, user):
    client.force_login(user)
    assert "No worker has given a sign of life" in client.get(reverse("health-card")).content.decode()
    note_heartbeat()
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.delete("train")
        server.rpush("train", "x", "y")
        page = client.get(reverse("health-card")).content.decode()
        server.delete("train")
    assert "Workers are alive." in page
    assert "training 2" in page


def test_a_dead_redis_is_a_sentence(client, user, settings):
    client.force_login(user)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "Redis does not answer" in client.get(reverse("health-card")).content.decode()
