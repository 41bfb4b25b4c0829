from datetime import timedelta

import pytest
from django.utils import timezone

from personalization.access.time_left import time_left


@pytest.mark.parametrize(
    ("passed_seconds", "share", "said"),
    [
        (30, 0.5, "about 31 seconds left"),
        (1, 0.9999, "about 1 second left"),
        (60, 0.25, "about 3 minutes left"),
        (90, 0.5, "about 1 minute left"),
    ],
)
def test_what_is_left_is_told_as_if_it_went_on_as_it_went(passed_seconds, share, said, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert time_left(now - timedelta(seconds=passed_seconds), share) == said


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_at_the_beginning_and_at_the_end_nothing_is_told(share):
    assert time_left(timezone.now() - timedelta(seconds=9), share) == ""


def test_what_waits_has_no_time_left():
    assert time_left(None, 0.5) == ""
