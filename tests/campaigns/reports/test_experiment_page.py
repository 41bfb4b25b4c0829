"""An experiment that no campaign made has a report page of its own."""

import csv
import html
from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from campaigns import services
from campaigns.rollout import winner
from experiments import selectors as experiment_reads
from experiments import services as experiments
from experiments.models import Assignment
from experiments.plans.draft import draft_criteria, entrants_of
from experiments.plans.plan import freeze_plan
from experiments.reports import analyses
from experiments.reports.document import document
from experiments.services import VariantSpec, ensure_default_metrics
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
START = timezone.now() - timedelta(days=60)


@pytest.fixture
def judged(analyse):
    """300 customers a group, 30 of the old and 90 of the new one ordered, and the 14 days have passed."""
    ensure_default_metrics()
    specs = [VariantSpec("old", "Old page", 0.5, is_control=True), VariantSpec("new", "New page", 0.5)]
    experiment = experiments.create_experiment(key="page", name="The page", variants=specs)
    experiments.start_experiment(experiment, at=START)
    people = Customer.objects.bulk_create(
        Customer(external_id=f"c-{n}", created_at=START) for n in range(600)
    )
    variants = list(experiment.variants.order_by("position"))
    Assignment.objects.bulk_create(
        Assignment(
            experiment=experiment, customer=person, variant=variants[n % 2], propensity=0.5, assigned_at=START
        )
        for n, person in enumerate(people)
    )
    buyers = people[0:60:2] + people[1:180:2]
    record_events(
        NewEvent(
            customer_id=one.pk, message_id=f"o-{one.pk}", name="Order Completed", value=10,
            occurred_at=START + timedelta(days=1),
        )
        for one in buyers
    )  # fmt: skip
    analyse(experiment)
    return experiment


def test_the_page_says_what_was_found_and_what_to_do(staff, judged) -> None:
    page = staff("view_campaign").get("/app/experiments/page/").content.decode()
    # 30 and 90 orders of 10 among 300: 1 and 3 per customer.
    assert "“New page” raised “Revenue” by 200.0 % compared with “Old page” (95% interval" in page
    assert "What to do: use “New page” rather than “Old page”." in page
    assert "For each customer that is +2.00." in page and "+600.00 in all" in page
    assert "Who was assigned to what" in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_and_the_api_say_the_same_words(staff, judged, language: str) -> None:
    client = staff("view_campaign")
    client.cookies["django_language"] = language
    with translation.override(language):
        report = experiment_reads.newest_report(judged)
        assert report is not None
        found = document(report)
    page = html.unescape(client.get("/app/experiments/page/").content.decode())
    assert found["summary"] in page and " ".join(found["remarks"]) in page


def test_without_sending_nothing_is_said_about_opens_and_there_is_no_funnel(staff, judged) -> None:
    client = staff("view_campaign")
    page = client.get(reverse("experiments:report", args=["page"])).content.decode()
    assert "Customers who opened" not in page and "Nothing else became worse?" not in page
    assert "chart-funnel" not in page
    data = client.get(reverse("experiments:report-data", args=["page"])).json()
    assert set(data["parts"]) == {
        "headline", "decision", "allocation", "analysis", "guards", "tables", "breakdown", "groups",
    }  # fmt: skip
    assert data["charts"]["funnel"] == []
    curve = data["charts"]["posterior"]["curves"][0]["points"]
    steps = [(right[0] - left[0], left[1]) for left, right in pairwise(curve)]
    assert sum(width * height for width, height in steps) == pytest.approx(1, abs=1e-3)
    assert max(curve, key=lambda point: point[1])[0] == pytest.approx(2)  # the flat prior adds nothing


def test_a_planned_experiment_says_what_its_plan_says(staff, judged, analyse) -> None:
    client = staff("view_campaign", "launch_campaign")
    criteria = draft_criteria(entrants_of(judged), wishes={"length_days": 14}, start=START)
    freeze_plan(judged, criteria, actor="user:kim", at=START)
    winner.take_look(judged.plans.get().pk, now=START + timedelta(days=30))
    page = client.get("/app/experiments/page/").content.decode()
    assert "Ship “New page”" in page and "“Revenue” decides against “Old page”" in page


def test_the_report_is_exported_as_a_table_and_as_json(staff, judged, analyse) -> None:
    analyses.choose_groups(judged, traits=["n"], segments=[], metric=None, method="holm", actor="test")
    Customer.objects.filter(pk__in=Customer.objects.order_by("pk")[:300].values("pk")).update(traits={"n": 1})
    analyse(judged)
    client = staff("view_campaign")
    text = client.get(reverse("experiments:report-csv", args=["page"])).content.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    revenue = next(row for row in rows if row["metric"] == "revenue" and row["variant"] == "new")
    assert (revenue["customers"], float(revenue["difference"])) == ("300", pytest.approx(2))
    assert {row["group"] for row in rows if row["group_by"] == "n"} == {"1", "?"}
    document = client.get(reverse("experiments:report-json", args=["page"])).json()
    assert document["breakdown"]["cuts"][0]["name"] == "n"


def test_it_needs_the_permission_that_campaign_reports_need(client, staff, judged) -> None:
    address = reverse("experiments:report", args=["page"])
    assert client.get(address).status_code == 302
    assert staff("view_experiment").get(address).status_code == 403
    assert client.get(reverse("experiments:report-data", args=["page"])).status_code == 403


def test_the_list_of_experiments_leads_to_it(staff, judged) -> None:
    page = staff("view_experiment", "view_campaign").get(reverse("admin:experiments_experiment_changelist"))
    assert 'href="/app/experiments/page/"' in page.content.decode()


def test_an_experiment_of_a_campaign_leads_to_the_campaigns_report(staff, make_campaign, make_customers):
    ensure_default_metrics()
    make_customers(4)
    run = services.launch(make_campaign(), actor="test")
    answer = staff("view_campaign").get(reverse("experiments:report", args=[run.experiment.key]))
    assert answer["Location"] == f"{reverse('campaigns:report', args=[run.campaign_id])}?run=1"
