"""Copies hold all that can be planned; the archive hides and loses nothing."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.errors import CampaignNotReady, InvalidState
from campaigns.models import Campaign, CampaignStatus, Message, Run, RunStatus
from campaigns.workflow import shelving
from experiments.services import ensure_default_metrics
from experiments.traffic.holdouts import create_holdout
from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.segments.services import save_segment
from recommender.ranking.rules import Rules

pytestmark = pytest.mark.django_db
# What is about this campaign alone: its identity, its way, its dates.
OWN = {
    "id", "name", "status", "scheduled_at", "problem", "created_by", "created_at", "updated_at",
    "archived_at", "campaign",
}  # fmt: skip


@pytest.fixture
def segment():
    Customer.objects.create(external_id="1", email="p@mail.example", country="GB", created_at=timezone.now())
    return save_segment(
        None, name="Britons", definition={"all": [{"trait": "country", "op": "is", "value": "GB"}]}
    ).segment


@pytest.fixture
def campaign(segment):
    """Nothing in it is as it is by default, so that a field left out of a copy shows."""
    ensure_default_metrics()
    draft = services.MessageDraft(
        key="b", name="Bold", subject="Hi", preheader="there", weight=3.0, item_count=2, missing="skip",
        body='<p>Hi</p><a href="{{ unsubscribe_url }}">Stop</a>', rules=Rules(bought="allow"),
    )  # fmt: skip
    other = services.MessageDraft(key="c", name="Calm", subject="Hey", body=draft.body)
    return services.save_campaign(
        None, name="Spring", segment=segment, messages=[draft, other], sender_address="shop@shop.example",
        sender_name="Shop", topic="news", control_share=0.25, plan={"length_days": 9}, test_share=0.5,
        fallback="best", utm={"source": "shop"}, timing={"mode": "local", "hour": "10:00"},
        holdout=create_holdout(
            key="h", name="H", share=0.1, is_global=False, at=timezone.now(), actor="user:kim"
        ),
        actor="user:kim",
    )  # fmt: skip


def test_a_copy_holds_every_field_but_its_own_identity(campaign):
    copy = shelving.duplicate(campaign, actor="user:kim")
    assert (copy.name, copy.status, copy.pk != campaign.pk) == ("Spring (copy)", CampaignStatus.DRAFT, True)
    for field in Campaign._meta.concrete_fields:
        if field.name not in OWN:
            assert getattr(copy, field.name) == getattr(campaign, field.name), field.name
    for original, made in zip(campaign.messages.all(), copy.messages.all(), strict=True):
        for field in Message._meta.concrete_fields:
            if field.name not in OWN:
                assert getattr(made, field.name) == getattr(original, field.name), field.name


def test_a_long_name_makes_room_for_the_word_copy(campaign):
    Campaign.objects.update(name="x" * 200)
    campaign.refresh_from_db()
    assert shelving.duplicate(campaign, actor="user:kim").name == "x" * 193 + " (copy)"


def test_what_is_put_away_leaves_the_list_and_comes_back(client, campaign):
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "change_campaign"]))
    client.force_login(user)
    shown = reverse("campaigns:edit", args=[campaign.pk])
    client.post(reverse("campaigns:archive", args=[campaign.pk]))
    assert shown not in client.get(reverse("campaigns:list")).content.decode()
    assert shown in client.get(reverse("campaigns:list"), {"status": "archived"}).content.decode()
    with pytest.raises(CampaignNotReady, match="archive"):
        services.launch(campaign, actor="user:kim")
    client.post(reverse("campaigns:restore", args=[campaign.pk]))
    assert shown in client.get(reverse("campaigns:list")).content.decode()


@pytest.mark.parametrize("status", [RunStatus.SENDING, RunStatus.PAUSED])
def test_what_is_under_way_is_not_put_away(campaign, status):
    services.launch(campaign, actor="user:kim")
    Run.objects.update(status=status)
    with pytest.raises(InvalidState, match="cancel it first"):
        shelving.archive(campaign, actor="user:kim")
    Run.objects.update(status=RunStatus.FINISHED)
    shelving.archive(campaign, actor="user:kim")
    assert Campaign.objects.get().archived_at is not None


def test_what_is_planned_is_not_put_away(campaign):
    services.schedule(campaign, at=timezone.now() + timedelta(days=2), actor="user:kim")
    with pytest.raises(InvalidState, match="schedule"):
        shelving.archive(campaign, actor="user:kim")


def test_nobody_copies_or_puts_away_without_the_right(client, campaign):
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(user)
    for name in ("duplicate", "archive", "restore"):
        assert client.post(reverse(f"campaigns:{name}", args=[campaign.pk])).status_code == 403
        assert client.get(reverse(f"campaigns:{name}", args=[campaign.pk])).status_code == 405
    assert Campaign.objects.count() == 1
