"""Stating by API what holds messages back."""

from typing import Any

import pytest

from campaigns.models import FrequencyCap, QuietHours
from personalization.access.models import AuditEntry
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db
BODY: dict[str, Any] = {
    "caps": [{"channel": "email", "topic": "", "max_messages": 2, "window_hours": 24}],
    "quiet_hours": [{"channel": "", "starts_at": "22:00", "ends_at": "08:00"}],
    "topics": [{"topic": "orders", "ignores_caps": True}],
}


@pytest.fixture
def headers() -> dict[str, str]:
    _key, token = create_key(name="k", scopes=["campaigns:read", "campaigns:write"])
    return {"authorization": f"Bearer {token}"}


def test_the_limits_are_replaced_as_a_whole(client: Any, headers: dict[str, str]) -> None:
    FrequencyCap.objects.create(max_messages=9, window_hours=9)
    for _ in range(2):
        answer = client.put("/api/v1/limits", BODY, "application/json", headers=headers)
        assert answer.status_code == 200, answer.content
    assert FrequencyCap.objects.get().max_messages == 2 and QuietHours.objects.count() == 1
    assert client.get("/api/v1/limits", headers=headers).json()["topics"][0]["ignores_caps"] is True
    assert AuditEntry.objects.filter(action="limits.replaced").count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"caps": [{"max_messages": 0, "window_hours": 24}]},
        {"quiet_hours": [{"starts_at": "22:00", "ends_at": "22:00"}]},
        {"quiet_hours": [{"starts_at": "22:00", "ends_at": "08:00"}] * 2},
        {"topics": [{"topic": "a"}, {"topic": "a"}]},
    ],
)
def test_what_makes_no_sense_changes_nothing(
    client: Any, headers: dict[str, str], wrong: dict[str, Any]
) -> None:
    FrequencyCap.objects.create(max_messages=9, window_hours=9)
    answer = client.put("/api/v1/limits", {**BODY, **wrong}, "application/json", headers=headers)
    assert answer.status_code == 400 and FrequencyCap.objects.get().max_messages == 9
