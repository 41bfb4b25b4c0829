"""Two pairs of eyes: who may say yes, to what, and what takes the yes away."""

import json

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from campaigns import services
from campaigns.errors import CampaignNotReady, InvalidState
from campaigns.models import Approval, ApprovalRule, ApprovalStatus, Campaign, CampaignKind
from campaigns.planning import approval
from campaigns.rehearsing.rehearsal import rehearse
from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key, ensure_roles
from personalization.content.services import save_block
from personalization.customers.models import Customer
from personalization.customers.services import record_consent
from personalization.segments.services import save_segment
from tests.privacy.making import NOW

pytestmark = pytest.mark.django_db
BODY = '<p>Hi {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Stop</a>'


@pytest.fixture
def author():
    return User.objects.create_user("author", is_staff=True)


@pytest.fixture
def approver():
    ensure_roles()
    user = User.objects.create_user("approver", is_staff=True)
    user.groups.add(Group.objects.get(name="Approver"))
    return user


@pytest.fixture
def segment():
    for number in range(3):
        customer = Customer.objects.create(
            external_id=str(number), email=f"p{number}@mail.example", country="GB", created_at=NOW
        )  # fmt: skip
        record_consent(customer.pk, channel="email", topic="marketing", granted=True, source="test")
    definition = {"all": [{"trait": "country", "op": "is", "value": "GB"}]}
    return save_segment(None, name="Britons", definition=definition).segment


def save(campaign, segment, **changes):
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body=changes.pop("body", BODY))
    return services.save_campaign(
        campaign, name="Spring", segment=segment, messages=[draft], sender_address="shop@shop.example",
        actor="user:author", **{"control_share": 0.0, **changes},
    )  # fmt: skip


@pytest.fixture
def campaign(segment):
    return save(None, segment)


@pytest.fixture
def rule():
    return ApprovalRule.objects.create(at_least=3)


def approved(campaign, author, approver):
    approval.ask(campaign, actor="user:author", user=author)
    return approval.decide(campaign, user=approver, actor="user:approver", approved=True)


def test_without_a_rule_nobody_is_asked(campaign):
    assert services.launch(campaign, actor="user:author").audience_size == 3


@pytest.mark.parametrize("fields, needed", [
    ({"at_least": 3}, True), ({"at_least": 4}, False), ({"topic": "marketing"}, True),
    ({"topic": "news"}, False), ({"channel": "email"}, True), ({"channel": "sms"}, False),
    ({"is_active": False}, False),
])  # fmt: skip
def test_a_rule_covers_what_it_names(campaign, fields, needed):
    ApprovalRule.objects.create(**fields)
    assert approval.is_needed(campaign, size=3) is needed


def test_a_triggered_campaign_counts_as_large(segment):
    ApprovalRule.objects.create(at_least=1_000_000)
    triggered = save(None, None, kind=CampaignKind.TRIGGERED)
    assert approval.is_needed(triggered, size=0)


def test_a_campaign_that_needs_approval_cannot_be_launched_without(campaign, rule):
    with pytest.raises(CampaignNotReady) as refused:
        services.launch(campaign, actor="user:author")
    assert [error["pointer"] for error in refused.value.errors] == ["/approval"]
    assert not campaign.runs.exists()


def test_it_is_launched_after_a_second_person_said_yes(campaign, rule, author, approver):
    approved(campaign, author, approver)
    assert services.launch(campaign, actor="user:author").audience_size == 3
    actions = list(
        AuditEntry.objects.filter(action__startswith="approval").order_by("pk").values_list("actor", "action")
    )
    assert actions == [("user:author", "approval.asked"), ("user:approver", "approval.approved")]


def test_nobody_approves_what_they_asked_for(campaign, rule, approver):
    approver.is_superuser = True
    approver.save()
    approval.ask(campaign, actor="user:approver", user=approver)
    with pytest.raises(InvalidState, match="somebody else"):
        approval.decide(campaign, user=approver, actor="user:approver", approved=True)


def test_a_key_does_not_make_its_maker_a_second_person(client, campaign, rule, approver):
    _key, token = create_key(
        name="cli", scopes=[Scope.CAMPAIGNS_WRITE, Scope.CAMPAIGNS_READ], created_by=approver
    )
    answer = client.post(
        f"/api/v1/campaigns/{campaign.pk}/approval", {"note": "By program"}, "application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    assert answer.json()["status"] == "pending"
    with pytest.raises(InvalidState, match="somebody else"):
        approval.decide(campaign, user=approver, actor="user:approver", approved=True)


@pytest.mark.parametrize("change", ["body", "control_share", "utm", "segment", "block", "topic"])
def test_any_change_takes_the_approval_away(campaign, segment, rule, author, approver, change):
    if change == "block":
        save_block("footer", texts={"": "old"}, actor="user:author")
        save(campaign, segment, body="{% block 'footer' %}" + BODY)
        campaign.refresh_from_db()
    approved(campaign, author, approver)
    if change == "segment":
        other = {"trait": "city", "op": "is", "value": "Leeds"}
        definition = {"any": [{"trait": "country", "op": "is", "value": "GB"}, other]}
        save_segment(segment, name="Britons", definition=definition)
    elif change == "block":
        save_block("footer", texts={"": "new"}, actor="user:author")
    else:
        save(campaign, segment, **{
            "body": {"body": BODY + "!"}, "control_share": {"control_share": 0.3},
            "utm": {"utm": {"source": "shop"}}, "topic": {"topic": "news"},
        }[change])  # fmt: skip
    campaign.refresh_from_db()
    assert not approval.is_approved(campaign)
    with pytest.raises(CampaignNotReady):
        services.launch(campaign, actor="user:author")


def test_saving_the_same_again_and_moving_the_date_keep_the_approval(
    campaign, segment, rule, author, approver
):
    approved(campaign, author, approver)
    save(campaign, segment)
    campaign.refresh_from_db()
    campaign.timing = {**campaign.timing, "starts": "2026-12-01T09:00"}
    assert approval.is_approved(campaign)


def test_what_changed_since_it_was_asked_for_is_not_approved(campaign, segment, rule, author, approver):
    approval.ask(campaign, actor="user:author", user=author)
    save(campaign, segment, body=BODY + "!")
    with pytest.raises(InvalidState, match="changed since"):
        approval.decide(campaign, user=approver, actor="user:approver", approved=True)


def test_a_no_needs_a_reason_and_lets_ask_again(campaign, rule, author, approver):
    approval.ask(campaign, actor="user:author", user=author)
    with pytest.raises(InvalidState, match="different"):
        approval.decide(campaign, user=approver, actor="user:approver", approved=False)
    approval.decide(campaign, user=approver, actor="user:approver", approved=False, comment="Too loud")
    assert not approval.is_approved(campaign)
    approved(campaign, author, approver)
    assert approval.is_approved(campaign)


def test_asking_again_leaves_one_open_request(campaign, rule, author):
    for _round in range(2):
        approval.ask(campaign, actor="user:author", user=author)
    assert list(Approval.objects.order_by("pk").values_list("status", flat=True)) == ["withdrawn", "pending"]


def test_a_rehearsal_needs_no_approval(campaign, rule):
    assert rehearse(campaign, at=NOW).audience == 3


def test_it_waits_on_the_home_page_of_those_who_may_decide(client, campaign, rule, author, approver):
    approval.ask(campaign, actor="user:author", user=author, note="Is the tone right?")
    client.force_login(approver)
    assert "waits for your approval" in client.get(reverse("admin:index")).content.decode()
    author.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "approve_campaign"]))
    client.force_login(author)
    assert "waits for your approval" not in client.get(reverse("admin:index")).content.decode()


def press(client, campaign, action, **said):
    url = reverse("campaigns:approval", args=[campaign.pk, action])
    return client.post(url, json.dumps(said), "application/json")


def test_the_page_lets_only_those_decide_who_may(client, campaign, rule, author, approver):
    author.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "change_campaign"]))
    client.force_login(author)
    assert press(client, campaign, "ask", note="Look").json()["approval"]["status"] == "pending"
    assert press(client, campaign, "approve").status_code == 403
    assert press(client, campaign, "shout").status_code == 404
    client.force_login(approver)
    assert press(client, campaign, "withdraw").status_code == 403
    state = press(client, campaign, "approve").json()["approval"]
    assert (state["status"], state["decided_by"]) == (ApprovalStatus.APPROVED, "approver")


def test_checks_tell_what_is_missing_and_who_may_give_it(client, campaign, rule, author, approver):
    approval.ask(campaign, actor="user:author", user=author)
    client.force_login(approver)
    answer = client.get(reverse("campaigns:checks", args=[campaign.pk])).json()
    assert [c["field"] for c in answer["checks"] if c["level"] == "error"] == ["approval"]
    assert answer["approval"]["may_decide"] is True


def test_a_launched_campaign_asks_for_nothing(campaign, author):
    services.launch(campaign, actor="user:author")
    with pytest.raises(InvalidState, match="launched already"):
        approval.ask(Campaign.objects.get(), actor="user:author", user=author)
