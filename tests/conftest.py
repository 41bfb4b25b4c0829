"""Shared by all tests: a browser where one is installed."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine is no reason to fail.
hypothesis_settings.register_profile("bespoke", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("bespoke")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_configure(config: pytest.Config) -> None:
    """Each process of `pytest -n` has a Redis database of its own, as it has a PostgreSQL database."""
    if number := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
        server = settings.REDIS_URL.rpartition("/")[0]
        settings.REDIS_URL = settings.CELERY_BROKER_URL = f"{server}/{int(number) + 1}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


def find_browser() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if find_browser():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium is installed"))
            config.stash[skipped_browser_tests] = config.stash.get(skipped_browser_tests, 0) + 1


skipped_browser_tests = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The threads that decide keep their connections, and end before the test's database goes."""
    yield
    from campaigns.onsite import answering

    answering.close()


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """A test with a database begins with an empty cache: numbers of rows of another test would be found."""
    names = {"db", "transactional_db", "live_server"}
    if request.node.get_closest_marker("django_db") or names & set(request.fixturenames):
        cache.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(skipped_browser_tests, 0):
        terminalreporter.write_line(
            f"{count} browser tests were skipped: no Chromium here (Debian: apt-get install chromium)."
        )


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The installed browser, for playwright's `executable_path`."""
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


@pytest.fixture
def analyse(db):
    """What a worker does when somebody wants a fresh result: makes it, in this process."""
    from experiments.reports import analyses

    def make(experiment, **options):
        analyses.ask(experiment, force=True)
        assert analyses.run(analyses.analysis_of(experiment).pk, **options)
        row = analyses.analysis_of(experiment)
        assert row.error == "" or options, row.error
        return row

    return make
