"""A shared report: results for whoever has the address, until it expires or is taken back."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.errors import InvalidState
from campaigns.models import ReportLink
from campaigns.reports import sharing
from experiments import services as experiments
from experiments.services import VariantSpec
from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    Customer.objects.bulk_create(
        Customer(
            external_id=f"canary-{n}", email=f"canary{n}@mail.example", first_name="Canary", country="GB",
            created_at=timezone.now(),
        )
        for n in range(40)
    )  # fmt: skip
    definition = {"trait": "country", "op": "is", "value": "GB"}
    segment = save_segment(None, name="Britons", definition=definition).segment
    drafts = [
        services.MessageDraft(key=key, name=key, subject="Hi", body="{{ unsubscribe_url }}") for key in "ab"
    ]
    campaign = services.save_campaign(
        None, name="Spring <b>", segment=segment, messages=drafts, sender_address="s@shop.example",
        actor="user:kim",
    )  # fmt: skip
    return services.launch(campaign, actor="user:kim")


def path_of(address):
    return address.removeprefix("http://testserver").removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def shared(run, analyse):
    analyse(run.experiment)
    _link, address = sharing.share(run, actor="user:kim", user=None, note="Board")
    return path_of(address)


def test_whoever_has_the_address_reads_results_and_nobodys_name(client, shared):
    answer = client.get(shared)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Spring &lt;b&gt;" in page
    assert "canary" not in page.lower()
    assert "/app/" not in page
    assert "<form" not in page
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_only_a_hash_of_the_secret_is_kept(shared):
    secret = shared.rpartition("/")[2]
    row = ReportLink.objects.values().get()
    assert secret not in str(row)
    assert len(bytes(row["secret_hash"])) == 32


def test_each_use_is_counted(client, shared):
    client.get(shared)
    client.get(shared)
    link = ReportLink.objects.get()
    assert link.uses == 2
    assert link.last_used_at is not None


def test_an_expired_a_taken_back_and_a_guessed_address_open_nothing(client, shared):
    assert client.get("/r/guessed").status_code == 404
    ReportLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(shared).status_code == 404
    ReportLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    sharing.take_back(ReportLink.objects.get(), actor="user:kim")
    answer = client.get(shared)
    assert answer.status_code == 404
    assert "expired or was taken back" in answer.content.decode()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-2:] == [
        "report.shared", "report.unshared",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, 366])
def test_a_link_lives_a_day_to_a_year(run, days):
    with pytest.raises(InvalidState):
        sharing.share(run, actor="user:kim", user=None, days=days)


def test_only_those_who_may_share_share(client, run):
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(user)
    address = reverse("campaigns:share-report", args=[run.campaign_id, 1])
    assert client.post(address, {"days": "7"}).status_code == 403
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaign", "add_reportlink", "change_reportlink"])
    )
    page = client.post(address, {"days": "7", "note": "Board"}, follow=True).content.decode()
    found = re.search(r"/r/[\w-]{40,}", page)
    assert found
    assert Client().get(found[0]).status_code == 200
    link = ReportLink.objects.get()
    assert link.expires_at - link.created_at == timedelta(days=7)
    client.post(reverse("campaigns:unshare-report", args=[link.pk]))
    assert Client().get(found[0]).status_code == 404


def test_programs_share_list_and_take_back(client, run):
    _key, token = create_key(name="cli", scopes=[Scope.CAMPAIGNS_WRITE, Scope.CAMPAIGNS_READ])
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/campaigns/{run.campaign_id}/report-links"
    made = client.post(path, {"days": 3}, "application/json", headers=headers)
    assert made.status_code == 201, made.content
    listed = client.get(path, headers=headers).json()["results"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert "address" not in listed[0]
    assert client.get(path_of(made.json()["address"])).status_code == 200
    assert client.delete(f"/api/v1/report-links/{listed[0]['id']}", headers=headers).status_code == 204
    assert client.get(path_of(made.json()["address"])).status_code == 404


@pytest.fixture
def alone(analyse):
    """An experiment that no campaign made."""
    specs = [VariantSpec("old", "Old page", 0.5, is_control=True), VariantSpec("new", "New page", 0.5)]
    made = experiments.create_experiment(key="page", name="The <page>", variants=specs)
    analyse(made)
    return made


def test_an_experiment_without_a_campaign_is_shared_from_its_own_page(client, alone):
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(user)
    address = reverse("experiments:share-report", args=["page"])
    assert client.post(address, {"days": "7"}).status_code == 403
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaign", "add_reportlink", "change_reportlink"])
    )
    assert "from 1 to 365 days" in client.post(address, {"days": "x"}, follow=True).content.decode()
    page = client.post(address, {"days": "7", "note": "Board"}, follow=True).content.decode()
    found = re.search(r"/r/[\w-]{40,}", page)
    assert found and "Board" in page
    answer = Client().get(found[0])
    told = answer.content.decode()
    assert answer.status_code == 200 and "The &lt;page&gt;" in told
    assert "/app/" not in told and "<form" not in told
    link = ReportLink.objects.get()
    back = client.post(reverse("campaigns:unshare-report", args=[link.pk]))
    assert back["Location"] == "/app/experiments/page/#share"
    assert Client().get(found[0]).status_code == 404
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "target"))[-2:] == [
        ("report.shared", "experiment:page"), ("report.unshared", "experiment:page"),
    ]  # fmt: skip


def test_programs_share_an_experiment_and_a_campaigns_has_one_list(client, alone, run):
    _key, token = create_key(name="cli", scopes=[Scope.CAMPAIGNS_WRITE, Scope.CAMPAIGNS_READ])
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/experiments/page/report-links"
    made = client.post(path, {"days": 3}, "application/json", headers=headers)
    assert made.status_code == 201, made.content
    assert [row["id"] for row in client.get(path, headers=headers).json()["results"]] == [made.json()["id"]]
    assert client.get(path_of(made.json()["address"])).status_code == 200
    assert client.delete(f"/api/v1/report-links/{made.json()['id']}", headers=headers).status_code == 204
    assert client.get(path_of(made.json()["address"])).status_code == 404
    assert client.post("/api/v1/experiments/none/report-links", headers=headers).status_code == 404
    sharing.share(run, actor="user:kim", user=None)
    listed = client.get(f"/api/v1/experiments/{run.experiment.key}/report-links", headers=headers).json()
    assert len(listed["results"]) == 1, "the same as the campaign's"


def test_a_link_opens_a_run_or_an_experiment_and_never_both(alone, run):
    for opens in ({}, {"run": run, "experiment": alone}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReportLink.objects.create(
                **opens, secret_hash=b"x" * 32, created_at=timezone.now(), expires_at=timezone.now()
            )


def test_taking_back_links_to_experiments_keeps_those_to_runs(alone, run):
    sharing.share(run, actor="user:kim", user=None)
    sharing.share(alone, actor="user:kim", user=None)
    connection.check_constraints()  # a table with checks still to be made cannot be changed
    loader = MigrationExecutor(connection).loader
    before = loader.project_state(("campaigns", "0033_rates"))
    with connection.schema_editor() as editor:
        loader.get_migration("campaigns", "0034_links_to_experiments").unapply(before, editor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT run_id FROM campaigns_reportlink")
        assert cursor.fetchall() == [(run.pk,)]
