"""Found segments by page and by API: who may, what is told, one click."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.segments.discovery import services
from personalization.segments.discovery.naming import column_name, difference_in_words
from personalization.segments.discovery.ready import RFM, ready_segments
from personalization.segments.models import Discovery, DiscoveryStatus, Segment
from personalization.segments.services import save_segment
from personalization.traits.models import TraitDefinition

pytestmark = pytest.mark.django_db
GROUPS = {
    "groups": [
        {"letter": "A", "share": 0.6, "customers": 12, "apart": [["share:Tea", 1.4], ["spent", -0.6]]},
        {"letter": "B", "share": 0.4, "customers": 8, "apart": [["trait:shoe_size", 0.7]]},
    ],
    "tried": [{"groups": 2, "strength": 0.9, "valley": 0.4, "smallest": 0.4, "holds": True}],
}


@pytest.fixture
def found():
    discovery = services.create_discovery(name="Kinds", kind="groups", actor="test")
    Discovery.objects.update(
        status=DiscoveryStatus.DONE, result=GROUPS, model={"letters": ["A", "B"]}, finished_at=timezone.now()
    )
    discovery.refresh_from_db()
    return discovery


@pytest.fixture
def usual_traits():
    for name, kind in (
        ("rfm_class", "rfm"),
        ("lifecycle_stage", "lifecycle"),
        ("churn_probability", "churn"),
    ):
        TraitDefinition.objects.get_or_create(name=name, defaults={"kind": kind, "event": "Order Completed"})


def browser(*codenames):
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def api(*scopes):
    _, token = create_key(name="test", scopes=scopes or (Scope.SEGMENTS_READ, Scope.SEGMENTS_WRITE))
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_the_page_tells_groups_by_what_sets_them_apart_and_makes_segments(found):
    client = browser("view_segment", "add_segment", "change_segment")
    page = client.get(reverse("segments:discovery", args=[found.pk])).content.decode()
    assert "interest in Tea: much higher" in page
    assert "spent in a year: lower" in page

    made = client.post(
        reverse("segments:discovery-act", args=[found.pk]), {"action": "segment", "group": "B"}
    )
    segment = Segment.objects.get()
    assert made["Location"] == reverse("segments:edit", args=[segment.pk])
    assert segment.name == "Kinds: B (shoe size: higher)"
    assert segment.current.definition == {"trait": "group_kinds", "op": "is", "value": "B"}


def test_the_page_of_a_mixture_tells_the_criterion_of_each_number(found):
    tried = [{"groups": 2, "form": "diag", "bic": 1234.5, "sure": 0.93, "smallest": 0.4}]
    Discovery.objects.update(kind="mixture", result={**GROUPS, "tried": tried})
    page = browser("view_segment").get(reverse("segments:discovery", args=[found.pk])).content.decode()
    assert all(told in page for told in ("Groups that may overlap", "diag", "1,234.5", "0.93"))
    made = api().post(f"/api/v1/discoveries/{found.pk}/segment", {"group": "B"}, "application/json")
    assert made.json()["definition"] == {"trait": "group_kinds", "op": "is", "value": "B"}


def test_a_viewer_sees_and_changes_nothing(found):
    client = browser("view_segment")
    assert client.get(reverse("segments:discoveries")).status_code == 200
    assert "Find anew" not in client.get(reverse("segments:discovery", args=[found.pk])).content.decode()
    for address, data in (
        (reverse("segments:discoveries"), {"name": "x", "kind": "groups"}),
        (reverse("segments:discovery-act", args=[found.pk]), {"action": "remove"}),
        (reverse("segments:discovery-ready"), {"key": "rfm_class.new"}),
    ):
        assert client.post(address, data).status_code == 403
    assert Discovery.objects.count() == 1


def test_a_look_is_asked_for_watched_canceled_and_removed_by_page(found):
    client = browser("view_segment", "add_segment")
    asked = {"name": "More", "kind": "groups", "purchase_event": "Order Line", "every_days": "0", "seed": ""}
    there = client.post(reverse("segments:discoveries"), asked)
    discovery = Discovery.objects.get(name="More")
    assert there["Location"] == reverse("segments:discovery", args=[discovery.pk])
    live = client.get(reverse("segments:discovery-live", args=[discovery.pk]))
    assert b"<progress" in live.content
    assert "HX-Refresh" not in live
    act = reverse("segments:discovery-act", args=[discovery.pk])
    client.post(act, {"action": "cancel"})
    assert client.get(reverse("segments:discovery-live", args=[discovery.pk]))["HX-Refresh"] == "true"
    client.post(act, {"action": "remove"})
    assert not Discovery.objects.filter(name="More").exists()
    actions = AuditEntry.objects.filter(actor="user:ann").values_list("action", flat=True)
    assert {"discovery.created", "discovery.canceled", "discovery.removed"} <= set(actions)


def test_a_wrong_wish_comes_back_with_what_to_do():
    client = browser("view_segment", "add_segment")
    asked = {"name": "L", "kind": "lookalikes", "purchase_event": "x", "every_days": "7"}
    page = client.post(reverse("segments:discoveries"), asked, follow=True).content.decode()
    assert "Look-alikes need a segment" in page


def test_the_same_over_the_api(found):
    client = api()
    told = client.get(f"/api/v1/discoveries/{found.pk}").json()
    assert [group["name"] for group in told["groups"]][1] == "B (shoe size: higher)"
    assert (told["trait"], told["area"], told["lift"]) == ("group_kinds", None, None)
    made = client.post(f"/api/v1/discoveries/{found.pk}/segment", {"group": "A"}, "application/json")
    assert (made.status_code, made.json()["definition"]["value"]) == (201, "A")
    wrong = client.post(f"/api/v1/discoveries/{found.pk}/segment", {"group": "Z"}, "application/json")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/group")
    assert client.post(f"/api/v1/discoveries/{found.pk}/run").json()["status"] == "waiting"
    assert client.post(f"/api/v1/discoveries/{found.pk}/run").status_code == 409
    assert client.post(f"/api/v1/discoveries/{found.pk}/cancel").json()["status"] == "canceled"
    seed = save_segment(None, name="seed", definition={"all": []}).segment
    asked = {"name": "Alike", "kind": "lookalikes", "seed": seed.pk}
    created = client.post("/api/v1/discoveries", asked, "application/json")
    assert (created.status_code, created.json()["status"]) == (201, "waiting")
    assert len(client.get("/api/v1/discoveries").json()["results"]) == 2
    assert client.delete(f"/api/v1/discoveries/{found.pk}").status_code == 204


def test_a_key_that_may_only_read_changes_nothing(found):
    client = api(Scope.SEGMENTS_READ)
    assert client.get(f"/api/v1/discoveries/{found.pk}").status_code == 200
    assert client.delete(f"/api/v1/discoveries/{found.pk}").status_code == 403
    assert client.post(f"/api/v1/discoveries/{found.pk}/run").status_code == 403


def test_rfm_classes_and_likely_churners_are_one_click_away(usual_traits):
    client = browser("view_segment", "add_segment")
    keys = {one.key for one in ready_segments()}
    assert {f"rfm_class.{name}" for name in RFM} <= keys
    client.post(reverse("segments:discovery-ready"), {"key": "churn_probability.likely"})
    segment = Segment.objects.get()
    assert segment.current.definition == {"trait": "churn_probability", "op": "at_least", "value": 0.7}
    client.post(reverse("segments:discovery-ready"), {"key": "churn_probability.likely"})
    assert Segment.objects.filter(name__endswith="(2)").count() == 1
    told = api().get("/api/v1/segments/ready").json()
    assert {one["key"] for one in told} == keys


def test_a_trait_with_too_little_data_offers_nothing(usual_traits):
    TraitDefinition.objects.filter(kind="rfm").update(problem="Too little data")
    assert not [one for one in ready_segments() if one.key.startswith("rfm")]


def test_names_with_the_same_letters_get_keys_of_their_own():
    keys = [
        services.create_discovery(name=name, kind="groups", actor="t").key for name in ("Käse", "K se", "茶")
    ]
    assert keys == ["k_se", "k_se_2", "found"]


def test_columns_are_named_in_the_language_of_the_reader():
    assert column_name("mark:plan=gold") == "plan = gold"
    assert difference_in_words("recency", -1.2) == "days since the last purchase: much lower"
    with override("en"):
        assert column_name("trait:churn_probability") == "churn probability"
