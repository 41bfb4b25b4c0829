"""The real clients, unchanged, against a live server: they decide as our own assignment does."""

from decimal import Decimal

import pytest
from growthbook import GrowthBook, feature_repo
from openfeature import api as openfeature
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from experiments import services
from experiments.models import Assignment, Layer
from experiments.services import VariantSpec
from experiments.traffic import holdouts
from experiments.traffic.client_keys import create_client_key, revoke_client_key
from experiments.traffic.layers import LayerPart
from personalization.customers.models import Customer
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["josé@example.com", "北京", "user-😀", "Zoë", "a b/c?d=é", "007"]
IDS = [*NAMES, *(f"c-{number}" for number in range(94))]


@pytest.fixture
def customers(start):
    Customer.objects.bulk_create(
        Customer(external_id=value, country="GB" if index % 2 else "CN", created_at=start)
        for index, value in enumerate(IDS)
    )
    return {c.external_id: c for c in Customer.objects.all()}


@pytest.fixture
def client_key(db):
    return create_client_key(name="Website", created_by=None, actor="test").key


@pytest.fixture
def banner(start):
    """Everything at once: a layer, weights, coverage, a segment and a global holdout."""
    layer = Layer.objects.create(key="page", name="Front page")
    version = save_segment(None, name="British", definition={"trait": "country", "op": "is", "value": "GB"})
    specs = [
        VariantSpec("control", "As it is", 3, is_control=True, value={"color": "grey"}),
        VariantSpec("blue", "Blue", 5, value={"color": "blue"}),
        VariantSpec("red", "Red", 2, value={"color": "rot – 赤"}, forced_ids=["tester"]),
    ]
    experiment = services.create_experiment(
        key="banner", name="Banner", variants=specs, coverage=0.8, is_served=True, segment_version=version,
        layer_part=LayerPart(layer, Decimal("0.1"), Decimal("0.9")),
    )  # fmt: skip
    services.start_experiment(experiment, at=start)
    holdouts.create_holdout(key="all", name="All", share=0.1, at=start, actor="test")
    return experiment


@pytest.fixture
def growthbook(live_server, client_key):
    """A client per customer; `seen` collects what its tracking callback is told."""
    seen = []
    feature_repo.clear_cache()
    clients = []

    def make(**attributes):
        client = GrowthBook(
            api_host=live_server.url,
            client_key=client_key,
            attributes=attributes,
            on_experiment_viewed=lambda experiment, result, **_: seen.append((experiment.key, result.key)),
        )
        client.load_features()
        clients.append(client)
        return client

    make.seen = seen
    yield make
    for client in clients:
        client.destroy()
    feature_repo.clear_cache()
    if feature_repo.http is not None:
        # Its connections stay open for good, and with them the server's threads and their database sessions.
        feature_repo.http.clear()


@pytest.fixture
def remote(live_server, client_key):
    provider = OFREPProvider(
        live_server.url, headers_factory=lambda: {"Authorization": f"Bearer {client_key}"}
    )
    openfeature.set_provider(provider)
    yield openfeature.get_client()
    openfeature.clear_providers()
    provider.session.close()


def ours(experiment, customers, now):
    """Variant key by id, None for who takes no part: as stored by our own assignment."""
    ids = [c.pk for c in customers.values()]
    held_out, _chance = holdouts.draw(ids, at=now)
    found = services.assign(experiment, [pk for pk in ids if pk not in held_out], at=now)
    keys = dict(experiment.variants.values_list("pk", "key"))
    return {value: keys.get(found.get(c.pk, (None, 0))[0]) for value, c in customers.items()}


def test_growthbooks_client_decides_as_we_do(growthbook, customers, banner, start):
    expected = ours(banner, customers, start)
    # All outcomes occur among the hundred.
    assert set(expected.values()) == {"control", "blue", "red", None}
    for value, key in expected.items():
        client = growthbook(id=value, country=customers[value].country)
        result = client.eval_feature("banner")
        assert (result.experimentResult.key if result.experimentResult else None) == key, value
        assert result.value == banner.variants.get(key=key or "control").value
    assert growthbook.seen == [("banner", key) for key in expected.values() if key]
    assert growthbook(id="tester").eval_feature("banner").value == {"color": "rot – 赤"}
    assert growthbook(id="tester").eval_feature("banner").experiment is None


def test_openfeatures_client_decides_as_we_do(remote, customers, banner, start):
    def ask(value):
        return remote.get_object_details("banner", {}, EvaluationContext(value))

    # Before anything is stored, by hash; then by what is stored.
    before = {value: ask(value) for value in customers}
    assert not Assignment.objects.exists()
    expected = ours(banner, customers, start)
    for value, key in expected.items():
        for details in (before[value], ask(value)):
            assert details.error_code is None, details.error_message
            assert details.variant == (key or "control"), value
            assert details.value == banner.variants.get(key=key or "control").value
            assert details.reason == (Reason.SPLIT if key else Reason.DEFAULT)
            assert details.flag_metadata["inExperiment"] is (key is not None)
    tester = ask("tester")
    assert (tester.variant, tester.reason) == ("red", Reason.TARGETING_MATCH)


def test_a_stored_assignment_wins_over_the_hash(remote, customers, banner, place):
    value, key = next(
        (v, k) for v, k in ours(banner, customers, banner.started_at).items() if k in ("blue", "red")
    )
    Assignment.objects.all().delete()
    other = "red" if key == "blue" else "blue"
    place(banner, other, [customers[value]])
    assert remote.get_object_details("banner", {}, EvaluationContext(value)).variant == other


def test_a_shipped_variant_reaches_its_share_in_both_clients(growthbook, remote, customers, start):
    specs = [
        VariantSpec("off", "Off", 1, is_control=True, value=False),
        VariantSpec("on", "On", 1, value=True),
    ]
    experiment = services.create_experiment(key="switch", name="S", variants=specs, is_served=True)
    services.start_experiment(experiment, at=start)
    services.end_experiment(experiment, at=start)
    assert remote.get_boolean_details("switch", True, EvaluationContext("Zoë")).value is False
    services.ship(experiment, variant_key="on", share=0.4)
    local = [growthbook(id=value).is_on("switch") for value in IDS]
    asked = [remote.get_boolean_value("switch", False, EvaluationContext(value)) for value in IDS]
    assert local == asked
    assert 20 < sum(local) < 60


def test_a_changed_experiment_is_loaded_and_an_unchanged_one_is_not_sent_again(
    growthbook, banner, client_key
):
    assert "banner" in growthbook(id="x").get_features()
    address = growthbook(id="x")
    feature_repo.clear_cache()
    address.load_features()  # answered 304: the client keeps what it has
    assert "banner" in address.get_features()
    services.serve(banner, is_served=False)
    feature_repo.clear_cache()
    address.load_features()
    assert address.get_features() == {}


def test_a_revoked_key_loads_nothing(growthbook, remote, banner, client_key):
    from experiments.models import ClientKey

    revoke_client_key(ClientKey.objects.get(key=client_key), actor="test")
    assert growthbook(id="x").get_features() == {}
    details = remote.get_object_details("banner", {"safe": True}, EvaluationContext("x"))
    assert (details.value, details.error_code) == ({"safe": True}, ErrorCode.GENERAL)


def test_the_clients_are_told_what_is_wrong(remote, banner):
    assert remote.get_object_details("nothing", {}, EvaluationContext("x")).error_code == (
        ErrorCode.FLAG_NOT_FOUND
    )
    assert remote.get_object_details("banner", {}, EvaluationContext("")).error_code == (
        ErrorCode.TARGETING_KEY_MISSING
    )
    assert remote.get_boolean_details("banner", False, EvaluationContext("x")).error_code == (
        ErrorCode.TYPE_MISMATCH
    )
