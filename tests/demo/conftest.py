import pytest

from personalization.demo.behavior import simulate_year
from personalization.demo.world import build_world


@pytest.fixture(scope="session")
def world():
    return build_world(seed=7, n_customers=1500, n_items=240)


@pytest.fixture(scope="session")
def year(world):
    return simulate_year(world)
