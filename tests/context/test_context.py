"""What is made of what clients, addresses and profiles say."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalization.context import Context, as_json, as_values
from personalization.context.places import open_geoip
from personalization.context.reading import check_context, keep_context, read_context
from personalization.context.times import SEASONS, tell_moment

NOON = datetime(2026, 12, 25, 12, tzinfo=UTC)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36"
ANDROID_TABLET = f"Mozilla/5.0 (Linux; Android 13; SM-X700) {CHROME}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME}"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class Geo:
    """A GeoIP file with one address in it."""

    def get(self, ip_address: str):
        if ip_address != "203.0.113.7":
            return None
        return {
            "country": {"iso_code": "JP"}, "city": {"names": {"en": "Kyoto"}},
            "location": {"latitude": 35.0, "longitude": 135.8, "time_zone": "Asia/Tokyo"},
        }  # fmt: skip


def read(raw=None, **known) -> Context:
    return read_context(raw or {}, at=known.pop("at", NOON), default_zone="UTC", **known)


def test_the_place_given_beats_the_address_and_the_address_the_profile():
    traits = {"country": "gb", "city": "Leeds", "time_zone": "Europe/London"}
    given_place = {"location": {"country": "US", "city": "Boston"}}
    by_profile = read(traits=traits)
    by_address = read(traits=traits, ip="203.0.113.7", geoip=Geo())
    by_word = read(given_place, traits=traits, ip="203.0.113.7", geoip=Geo())
    assert [(c.place.source, c.place.city, c.place.country) for c in (by_profile, by_address, by_word)] == [
        ("traits", "Leeds", "GB"), ("ip", "Kyoto", "JP"), ("given", "Boston", "US"),
    ]  # fmt: skip
    assert [c.time.zone for c in (by_profile, by_address)] == ["Europe/London", "Asia/Tokyo"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("de", "DE"), ("Germany", "DE"), ("United States", "US"), ("usa", "US"), ("South Korea", "KR"),
        ("Atlantis", ""), ("D3", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_country_may_be_named_as_in_the_spec_of_segment(said, code):
    assert read({"location": {"country": said, "city": "X"}}).place.country == code


def test_the_holiday_is_that_of_the_named_country():
    christmas = datetime(2026, 12, 25, 12, tzinfo=UTC)
    assert read({"location": {"country": "Germany"}}, at=christmas).time.holiday == "Erster Weihnachtstag"


def test_an_address_is_looked_up_and_never_kept():
    raw = {"ip": "203.0.113.7", "traits": {"x": 1}, "locale": "ja"}
    assert keep_context(raw) == {"locale": "ja"}
    kept = keep_context(raw, geoip=Geo())
    assert kept == {
        "locale": "ja", "location": {"country": "JP", "city": "Kyoto"}, "timezone": "Asia/Tokyo",
    }  # fmt: skip
    assert "203.0.113.7" not in str(as_json(read(raw, ip="203.0.113.7", geoip=Geo())))
    assert open_geoip("") is None


@pytest.mark.parametrize("ip", ["198.51.100.1", "nonsense", ""])
def test_an_unknown_address_tells_nothing(ip):
    assert read(ip=ip, geoip=Geo()).place.source == ""


def test_local_time_is_told_in_words():
    tokyo = tell_moment(NOON, zone="Asia/Tokyo", default_zone="UTC", country="JP")
    assert (tokyo.local.hour, tokyo.daypart, tokyo.weekday, tokyo.season) == (21, "evening", 5, "winter")
    sydney = tell_moment(NOON, zone="Australia/Sydney", default_zone="UTC", country="AU")
    assert (sydney.daypart, sydney.season, sydney.holiday) == ("evening", "summer", "Christmas Day")
    assert tell_moment(NOON, zone="Mars/Olympus", default_zone="UTC").zone == "UTC"


@pytest.mark.parametrize(
    ("month", "north"), [(1, "winter"), (3, "spring"), (6, "summer"), (9, "autumn"), (12, "winter")]
)
def test_seasons_are_opposite_on_the_two_halves(month, north):
    at = datetime(2026, month, 15, tzinfo=UTC)
    assert tell_moment(at, zone="", default_zone="UTC", latitude=50.0).season == north
    south = tell_moment(at, zone="", default_zone="UTC", latitude=-30.0).season
    assert SEASONS.index(south) == (SEASONS.index(north) + 2) % 4


def test_weekends_and_holidays_are_the_countrys_own():
    friday = datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert tell_moment(friday, zone="", default_zone="UTC", country="SA").is_weekend
    assert not tell_moment(friday, zone="", default_zone="UTC", country="GB").is_weekend
    national_day = datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert tell_moment(national_day, zone="", default_zone="UTC", country="CN").holiday
    assert tell_moment(national_day, zone="", default_zone="UTC", country="ZZ").holiday == ""


@pytest.mark.parametrize(
    ("agent", "kind", "client"),
    [
        (IPHONE, "mobile", "Mobile Safari"),
        (ANDROID_TABLET, "tablet", "Chrome"),
        (WINDOWS, "desktop", "Chrome"),
        (GOOGLEBOT, "bot", "Googlebot"),
        ("", "", ""),
    ],
)
def test_the_device_is_read_from_the_user_agent(agent, kind, client):
    found = read({"userAgent": agent})
    assert (found.device.kind, found.client.name) == (kind, client)


def test_what_a_client_says_of_its_device_wins():
    said = {"device": {"type": "ios", "model": "iPhone15,2"}, "os": {"name": "iOS", "version": "18.1"}}
    found = read({"userAgent": WINDOWS, **said})
    assert (found.device.kind, found.device.model, found.client.system_version) == (
        "mobile",
        "iPhone15,2",
        "18.1",
    )


def test_of_a_referrer_only_the_site_is_kept():
    raw = {
        "page": {
            "url": "https://shop.example/tea?email=ada@example.com",
            "referrer": "https://search.example/?q=x",
        },
        "campaign": {"source": "news", "medium": "email", "name": "spring"},
    }
    found = read(raw)
    assert (found.origin.referrer, found.origin.source, found.origin.campaign) == (
        "search.example",
        "news",
        "spring",
    )
    assert found.page == "/tea"


def test_a_cart_takes_ids_and_lines():
    found = read(
        {"cart": ["mug", {"product_id": "tea", "quantity": 2, "price": "4.50"}, {"quantity": 1}, None]}
    )
    assert [(line.item, line.quantity) for line in found.cart] == [("mug", 1), ("tea", 2)]
    assert found.cart_value == 9.0


def test_templates_read_it_by_short_names():
    values = as_values(read(traits={"country": "GB", "city": "Leeds"}))
    assert (values["daypart"], values["place"]["city"], values["holiday"]) == (
        "afternoon",
        "Leeds",
        "Christmas Day",
    )


def test_the_strict_reader_names_what_is_wrong():
    wrong = check_context({"device": "phone", "cart": ["mug", 3.5], "mood": "good"})
    assert [pointer for pointer, _ in wrong] == ["/mood", "/device", "/cart/1"]
    assert check_context([]) and not check_context({"timezone": "UTC", "cart": [{"item": "mug"}]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "location",
    "device",
    "os",
    "app",
    "page",
    "campaign",
    "referrer",
    "userAgent",
    "timezone",
    "cart",
    "item",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(NAMES), json_values),
    st.dictionaries(st.sampled_from(["country", "city", "time_zone"]), json_values),
)
def test_no_client_can_say_anything_that_cannot_be_read(raw, traits):
    as_json(read(raw, traits=traits))
    keep_context(raw, geoip=Geo())
    check_context(raw)
