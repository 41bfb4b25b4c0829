"""The picture that counts down: its address is ours alone, its frames tell the time that is left."""

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from PIL import Image

from personalization.content.countdown import (
    HEIGHT,
    MAX_DAYS,
    WIDTH,
    Countdown,
    clock,
    draw_countdown,
    read_color,
    read_countdown,
)
from personalization.content.errors import RenderError
from personalization.content.messages import compile_message

CHRISTMAS = "2026-12-24T18:00"


def address(source: str, **customer: Any) -> str:
    html = (
        compile_message(subject="s", body=f'<img src="{source}" alt="">').render({"customer": customer}).html
    )
    return re.search(r'src="([^"]*)"', html)[1]  # type: ignore[index]


def token_of(url: str) -> str:
    return url.rpartition("/")[2].removesuffix(".gif")


def test_a_time_without_a_zone_is_the_customers_own() -> None:
    ends = {
        zone: read_countdown(token_of(address("{{ '" + CHRISTMAS + "' | countdown }}", time_zone=zone)))
        for zone in ("Asia/Shanghai", "America/New_York")
    }
    expected = {"Asia/Shanghai": 10, "America/New_York": 23}  # o'clock in UTC
    for zone, hour in expected.items():
        assert ends[zone] == Countdown(int(datetime(2026, 12, 24, hour, tzinfo=UTC).timestamp())), zone


def test_colors_travel_along_and_a_missing_moment_is_empty() -> None:
    found = read_countdown(token_of(address("{{ '2026-12-24T18:00Z' | countdown: '#B91C1C', 'fff7ed' }}")))
    assert found and (found.color, found.background) == ("b91c1c", "fff7ed")
    assert address("{{ customer.ends_at | countdown }}") == ""


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'soon' | countdown }}", "{{ 'now' | countdown: 'red;x' }}", "{{ '0001-01-01' | countdown }}",
        "{{ '9999-12-31T23:59' | countdown }}",
    ],
)  # fmt: skip
def test_what_is_no_time_or_color_fails_the_message(source: str) -> None:
    with pytest.raises(RenderError):
        address(source)


def test_nothing_but_our_own_address_is_drawn() -> None:
    token = token_of(Countdown(1_800_000_000).url)
    assert read_countdown(token) == Countdown(1_800_000_000)
    changed = [token[:-1], token + "A", token.swapcase(), "é" * 42, "!" * 42, "A" * 42, ""]
    changed += [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))]
    assert [one for one in changed if read_countdown(one) is not None] == []


def test_frames_count_by_the_second_and_stop_at_zero() -> None:
    with Image.open(io.BytesIO(draw_countdown(3, "000000", "ffffff"))) as image:
        assert image.size == (WIDTH, HEIGHT) and image.n_frames == 4 and image.info["duration"] == 1000
        assert "loop" not in image.info
        corner = image.convert("RGB").getpixel((0, 0))
        darkest = min(image.convert("L").tobytes())
    assert corner == (255, 255, 255) and darkest == 0
    with Image.open(io.BytesIO(draw_countdown(10**12, "000000", "ffffff"))) as image:
        assert image.n_frames == 60
    assert len(draw_countdown(10**6, "b91c1c", "fff7ed")) < 200_000


def test_the_clock_in_words() -> None:
    assert clock(2 * 86_400 + 3 * 3600 + 4 * 60 + 5) == "2 : 03 : 04 : 05"
    assert clock(59) == "00 : 00 : 59" and clock(MAX_DAYS * 86_400).startswith("99 : 00")
    assert read_color(" #ABCDEF ") == "abcdef"


def test_the_picture_is_answered_fresh_and_another_address_is_not_found() -> None:
    ends_at = int(datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp())
    path = f"/t/n/{token_of(Countdown(ends_at).url)}.gif"
    with time_machine.travel(datetime(2026, 12, 24, 17, 59, 59, tzinfo=UTC), tick=False):
        answer = Client().get(path)
    assert answer.status_code == 200 and answer["Content-Type"] == "image/gif"
    assert "no-store" in answer["Cache-Control"] and answer.content == draw_countdown(1, "111827", "ffffff")
    assert Client().get("/t/n/" + "A" * 42 + ".gif").status_code == 404
