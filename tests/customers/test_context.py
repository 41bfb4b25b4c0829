"""The same context on every way: API, stored events, traits, recommenders."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client, override_settings

from personalization.access.services import create_key
from personalization.customers.contexts import context_of
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import refresh
from recommender.inputs.moment import Moment
from tests.context.test_context import IPHONE, Geo

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 14, 16, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(
        external_id="ada", country="FR", city="Lyon", time_zone="Europe/Paris", created_at=NOW
    )


def test_the_api_shows_what_is_made_of_a_situation(api, ada):
    body = {"customer": "ada", "at": NOW.isoformat(), "context": {"userAgent": IPHONE, "cart": ["mug"]}}
    shown = api("post", "context", body).json()
    assert (shown["time"]["daypart"], shown["time"]["holiday"]) == ("evening", "Fête nationale")
    assert (shown["device"]["kind"], shown["place"]["city"], shown["cart"][0]["item"]) == (
        "mobile",
        "Lyon",
        "mug",
    )
    wrong = api("post", "context", {"context": {"cart": "mug"}})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["pointer"] == "/context/cart"
    assert api("post", "context", {"customer": "nobody"}).status_code == 404


def test_events_keep_the_place_of_an_address_and_traits_tell_the_last_one(
    ada, monkeypatch, django_user_model
):
    monkeypatch.setattr("personalization.events.messages.geoip", Geo)
    token = create_key(name="shop", scopes=["ingest"])[1]
    body = {"userId": "ada", "event": "E", "context": {"ip": "203.0.113.7", "userAgent": IPHONE}}
    Client(headers={"Authorization": f"Bearer {token}"}).post(
        "/v1/track", json.dumps(body), "application/json"
    )
    stored = Event.objects.get().context
    assert stored["location"] == {"country": "JP", "city": "Kyoto"} and "203.0" not in str(stored)
    TraitDefinition.objects.all().delete()
    for name in ("device", "city"):
        definition = TraitDefinition.objects.create(name=f"last_{name}", kind="last_context", property=name)
        refresh(definition, now=datetime.now(UTC))
    ada.refresh_from_db()
    assert ada.traits == {"last_device": "mobile", "last_city": "Kyoto"}
    assert context_of({"traits": ada.traits}, at=NOW).device.kind == "mobile"


@override_settings(TIME_ZONE="UTC")
def test_a_recommender_takes_it():
    raw = {"item": "tea", "cart": ["mug", "unknown"], "userAgent": IPHONE, "location": {"country": "FR"}}
    moment = Moment.of(context_of(None, at=NOW, raw=raw), item_ids={"tea": 1, "mug": 2})
    assert moment == Moment(1, (2,), "mobile", NOW, "FR")
