import pytest
from django.contrib.auth.models import Group
from django.test import Client

from campaigns.onsite.models import Offer, Placement
from experiments.models import Metric
from personalization.access.models import User
from personalization.access.services import ensure_roles
from personalization.customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    def make(role):
        ensure_roles()
        user = User.objects.create_user(role.replace(" ", ""), password="x", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return make


def contents(*bodies):
    found = {"contents-TOTAL_FORMS": len(bodies), "contents-INITIAL_FORMS": 0}
    for place, body in enumerate(bodies):
        one = {"key": "ab"[place], "name": "", "weight": 1, "item_count": 4, "body": body, "rules": "{}"}
        found |= {f"contents-{place}-{name}": value for name, value in one.items()}
    return found


def test_a_placement_and_an_offer_are_made_and_go_live(staff):
    client = staff("Campaign manager")
    made = client.post(
        "/app/onsite/placements/new/",
        {"name": "Hero", "key": "hero", "order": "learned", "fallback": "<p>Welcome</p>"},
    )
    assert made.status_code == 302
    placement = Placement.objects.get()
    saved = client.post(
        "/app/onsite/offers/new/",
        {
            "name": "Sale", "placement": placement.pk, "segment": "", "priority": 5, "value": "2.50",
            "control_share": 0.2, "max_views": "", "view_days": 7, "starts_at": "", "ends_at": "",
            **contents("<p>A</p>", "<p>B</p>"),
        },
    )  # fmt: skip
    offer = Offer.objects.get()
    assert saved.url == f"/app/onsite/offers/{offer.pk}/"
    assert client.post(f"{saved.url}start").status_code == 302
    offer.refresh_from_db()
    assert offer.status == "live"
    assert [(v.key, v.weight) for v in offer.experiment.variants.all()] == [
        ("control", 0.2), ("a", 0.4), ("b", 0.4),
    ]  # fmt: skip
    page = client.get("/app/onsite/").content.decode()
    assert "Sale" in page and f"/app/experiments/offer-{offer.pk}/" in page
    assert "Pause it to change it." in client.get(saved.url).content.decode()


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(staff, placement):
    client = staff("Campaign manager")
    answer = client.post(
        "/app/onsite/offers/new/",
        {
            "name": "Sale", "placement": placement.pk, "priority": 5, "value": "1", "control_share": 0.99,
            "view_days": 7, **contents("<p>{{ customer.first_name </p>"),
        },
    )  # fmt: skip
    assert answer.status_code == 422 and not Offer.objects.exists()
    page = answer.content.decode()
    assert "0.9" in page and "{{ customer.first_name" in page


def test_a_variant_is_previewed_as_a_customer(staff, db):
    Customer.objects.create(external_id="c-1", first_name="<Anna>", created_at="2026-01-01T00:00Z")
    client = staff("Campaign manager")
    body = {"body": "<p>Hi {{ customer.first_name }}</p>", "customer": "c-1", "item_count": "4"}
    page = client.post("/app/onsite/offers/preview", body).content.decode()
    assert "Hi &amp;lt;Anna&amp;gt;" in page and 'sandbox title="Preview"' in page
    page = client.post("/app/onsite/offers/preview", body | {"customer": "nobody"}).content.decode()
    assert "Nobody has this id" in page


def test_who_may_only_look_cannot_write(staff, make_offer):
    offer = make_offer()
    client = staff("Viewer")
    assert client.get("/app/onsite/").status_code == 200
    for address in ("placements/new/", "offers/new/", f"offers/{offer.pk}/"):
        assert client.get(f"/app/onsite/{address}").status_code == 403
    assert client.post(f"/app/onsite/offers/{offer.pk}/pause").status_code == 403


def test_a_list_of_next_best_actions_shows_what_each_earns(staff, make_offer):
    client = staff("Campaign manager")
    metric = Metric.objects.create(
        key="spent", name="Spent", kind="revenue", event="Order Completed", window_days=7, direction="up"
    )
    form = {"name": "Account", "key": "account", "order": "incremental", "fallback": "<p>Hi</p>"}
    refused = client.post("/app/onsite/placements/new/", form)
    assert refused.status_code == 422 and "Choose what counts as earned" in refused.content.decode()
    assert client.post("/app/onsite/placements/new/", form | {"metric": metric.pk}).status_code == 302
    place = Placement.objects.get(key="account")
    known = make_offer("Delivery", placement=place, control_share=0.2)
    make_offer("Novelty", placement=place, control_share=0.2)
    # Means 23 and 20, deviations 30: 3 ± 1.96 × 30 × √(1/3000 + 1/800) = ± 2.34
    sums = {
        name: [n, n * mean, n * mean**2 + (n - 1) * 900]
        for name, n, mean in (("treated", 3000, 23), ("control", 800, 20))
    }
    Offer.objects.filter(pk=known.pk).update(outcomes=sums)
    page = client.get("/app/onsite/").content.decode()
    assert "3 <" in page and "(0.66 … 5.34)" in page and "3,800" in page
    assert page.count("No evidence yet: explored") == 1
