"""What staff without personal data learn of a campaign, on pages, in files, over the API; floors of ten."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery, DeliveryStatus, Journey, Passage, PassageStatus
from campaigns.planning.checks import check_campaign
from campaigns.reports import sharing
from experiments.models import Metric
from personalization.access.models import PersonalRead, Scope, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.events.services import message_key
from personalization.privacy.floor import round_down
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
LOOKS = ["view_campaign", "view_journey", "view_customer", "view_segment", "view_experiment"]


@pytest.fixture(autouse=True)
def ten(settings):
    settings.K_ANONYMITY = 10


def staff(name: str, *more: str) -> Client:
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*LOOKS, *more]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db) -> Client:
    return staff("kim")


@pytest.fixture
def author(db) -> Client:
    return staff("sam", "view_personal_data")


def launched(size: int, clicks: int, make_campaign, analyse):
    """A run to `size` customers, all sent, of whom the first `clicks` clicked."""
    Metric.objects.get_or_create(
        key="clicked",
        defaults={"name": "Clicked", "kind": "conversion", "event": "Message Clicked", "window_days": 7},
    )
    Customer.objects.bulk_create(
        Customer(external_id=f"c{n}", email=f"c{n}@mail.example", country="GB", created_at=timezone.now())
        for n in range(size)
    )
    run = services.launch(make_campaign(control_share=0), actor="test")
    Delivery.objects.filter(run=run).update(status=DeliveryStatus.SENT, sent_at=timezone.now())
    for delivery in Delivery.objects.filter(run=run).order_by("pk")[:clicks]:
        at = timezone.now() + timedelta(seconds=1)
        Event.objects.create(
            customer_id=delivery.customer_id, message_key=message_key(f"m{delivery.pk}"),
            name="Message Clicked", occurred_at=at, received_at=at,
            properties={"run": run.pk, "campaign": run.campaign_id, "variant": delivery.variant.key},
        )  # fmt: skip
    analyse(run.experiment, now=timezone.now() + timedelta(minutes=1))
    return run


def words(response) -> str:
    assert response.status_code == 200
    return re.sub(r"<[^>]+>|\s+", " ", response.content.decode())


@pytest.fixture
def few(make_campaign, analyse):
    return launched(57, 3, make_campaign, analyse)


def test_progress_comes_in_steps_for_who_sees_no_names(few, viewer, author):
    url = f"/api/v1/campaigns/{few.campaign_id}/progress"
    told, whole = viewer.get(url).json(), author.get(url).json()
    assert (whole["audience"], whole["sent"]) == (57, 57)
    assert (told["audience"], told["sent"]) == (50, 50)
    assert all(n % 10 == 0 for one in told["variants"].values() for n in one.values())


def test_the_report_shows_neither_few_clicks_nor_the_exact_audience(few, viewer, author):
    url = f"/app/campaigns/{few.campaign_id}/report/"
    assert "57" in re.findall(r"\b\d+\b", words(author.get(url)))
    page = viewer.get(url)
    assert "57" not in re.findall(r"\b\d+\b", words(page))
    assert "in steps of 10" in words(page)
    data = viewer.get(f"{url}data").json()
    assert all(sum(filter(None, row["counts"][1:])) == 0 for row in data["charts"]["funnel"])


@pytest.mark.parametrize("way", ["api", "json", "csv"])
def test_results_of_few_are_in_no_file_and_no_answer(few, viewer, author, way):
    key = few.experiment.key
    url = {
        "api": f"/api/v1/experiments/{key}/report", "json": f"/app/experiments/{key}/report.json",
        "csv": f"/app/experiments/{key}/report.csv",
    }[way]  # fmt: skip
    assert "clicked" in author.get(url).content.decode()
    told = viewer.get(url)
    assert told.status_code == 200
    if way == "csv":
        assert "clicked" not in told.content.decode()
    else:
        assert "clicked" not in [metric["key"] for metric in told.json()["metrics"]]


def test_a_shared_address_tells_a_stranger_no_more(few):
    _link, address = sharing.share(few, actor="user:sam", user=None)
    page = words(Client().get(re.sub(r"^https?://[^/]+", "", address)))
    assert "Too few customers stand behind these numbers" in page
    assert "57" not in re.findall(r"\b\d+\b", page)


def test_a_key_of_a_program_reads_everything_its_scopes_say(few):
    _key, secret = create_key(name="reports", scopes=[Scope.CAMPAIGNS_READ])
    asked = Client().get(
        f"/api/v1/campaigns/{few.campaign_id}/progress", headers={"Authorization": f"Bearer {secret}"}
    )
    assert asked.json()["sent"] == 57


def test_people_of_a_small_audience_are_not_listed_under_masks(make_campaign, analyse, viewer, author):
    run = launched(7, 0, make_campaign, analyse)
    for url in (
        f"/api/v1/campaigns/{run.campaign_id}/deliveries",
        f"/app/campaigns/{run.campaign_id}/report/audience.csv",
    ):
        assert viewer.get(url).status_code == 403
        answer = author.get(url)
        assert answer.status_code == 200
        b"".join(answer)
    read = PersonalRead.objects.filter(actor__contains="sam").values_list("page", "customer_ids")
    everybody = sorted(Customer.objects.values_list("pk", flat=True))
    assert list(read.order_by("pk")) == [("API: deliveries", everybody), ("audience", everybody)]


def test_the_lists_of_campaigns_round_as_well(few, viewer, author):
    for url in ("/app/campaigns/", "/admin/"):
        assert "57" in re.findall(r"\b\d+\b", words(author.get(url)))
        assert "57" not in re.findall(r"\b\d+\b", words(viewer.get(url)))


@pytest.mark.parametrize(
    ("size", "sentence"),
    [(57, "50 customers are in the segment."), (7, "Fewer than 10 customers are in the segment.")],
)
def test_checks_speak_of_the_size_as_the_caller_may_know_it(make_customers, make_campaign, size, sentence):
    make_customers(size)
    campaign = make_campaign()
    told = [check.message for check in check_campaign(campaign, told=round_down)]
    assert sentence in told
    assert not any(str(size) in re.findall(r"\d+", text) for text in told)
    assert f"{size} customers are in the segment." in [c.message for c in check_campaign(campaign)]


def test_a_journey_counts_in_steps_and_lists_nobody_of_a_few(viewer, author):
    journey = Journey.objects.create(name="Welcome", draft={})
    version = journey.versions.create(number=1, graph={}, published_at=timezone.now())
    for n in range(13):
        customer = Customer.objects.create(external_id=f"j{n}", created_at=timezone.now())
        Passage.objects.create(
            journey=journey, version=version, customer=customer, entry_key=str(n), node="a" if n < 4 else "b",
            status=PassageStatus.INSIDE, entered_at=timezone.now(), arrived_at=timezone.now(),
            due_at=timezone.now(),
        )  # fmt: skip
    url = f"/api/v1/journeys/{journey.pk}"
    assert viewer.get(f"{url}/counts").json()["entered"] == 10
    assert author.get(f"{url}/counts").json()["entered"] == 13
    assert viewer.get(f"{url}/people?node=a").status_code == 403
    shown = viewer.get(f"{url}/people").json()["results"]
    assert {row["customer"] for row in shown} == {"•••"}
    assert "j0" in {row["customer"] for row in author.get(f"{url}/people?node=a").json()["results"]}


def test_a_segment_is_no_way_round(viewer):
    """The outlook and the languages of a message come from the same told size."""
    Customer.objects.bulk_create(
        Customer(external_id=f"l{n}", language="zh", country="GB", created_at=timezone.now())
        for n in range(14)
    )
    segment = save_segment(None, name="B", definition={"trait": "country", "op": "is", "value": "GB"}).segment
    asked = {"subject": "s", "body": "b", "segment": str(segment.pk)}
    rows = viewer.post("/app/campaigns/preview/languages", asked, content_type="application/json").json()[
        "rows"
    ]
    assert [row["customers"] for row in rows] == [10]


def test_a_report_of_too_few_says_so_once_and_shows_no_empty_pictures(make_campaign, analyse, viewer, author):
    run = launched(7, 0, make_campaign, analyse)
    url = f"/app/campaigns/{run.campaign_id}/report/"
    told, whole = viewer.get(url), author.get(url)
    assert "Audience of fewer than 10" in words(told)
    assert "Audience of 7" in words(whole)
    assert "No metrics yet" not in words(told)
    assert viewer.get(f"{url}data").json()["charts"]["isWithheld"] is True
    assert author.get(f"{url}data").json()["charts"]["isWithheld"] is False
