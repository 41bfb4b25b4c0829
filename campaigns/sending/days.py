"""A worker's places under today's volumes of the account it sends with."""

import contextlib
from datetime import date, datetime

from django.db import DatabaseError
from django.utils import timezone

from campaigns.pacing.places import give_back, take_places
from campaigns.transport.accounts import Account


class Day:
    """`goes_on_at`: when there is room again, once there was none."""

    def __init__(self) -> None:
        self.goes_on_at: datetime | None = None
        self._account: Account | None = None
        self._day: date | None = None
        self._places: dict[str, int] = {}  # by group of recipient domains
        self._full: set[str] = set()

    def has_room(self, account: Account | None, domain: str = "") -> bool:
        """Whether one more message may go there today; takes places when it has none left."""
        if account is None or account.warm_up is None:
            self.close()
            return True
        return self._has_room(account, account.warm_up.group_of(domain))

    def has_any_room(self, account: Account | None) -> bool:
        """Whether one more message may go today, wherever to."""
        if account is None or account.warm_up is None:
            return self.has_room(account)
        return any(self._has_room(account, group) for group in account.warm_up.names)

    def _has_room(self, account: Account, group: str) -> bool:
        assert account.warm_up is not None
        now = timezone.now()
        day = account.warm_up.day_of(now)
        if self._account != account or self._day != day:
            self.close()
            self._account, self._day = account, day
        volume = account.warm_up.volume_of(day, group)
        if volume is None or self._places.get(group):
            return True
        if group not in self._full:
            self._places[group] = take_places(account.pk, day=day, volume=volume, group=group)
            if not self._places[group]:
                self._full.add(group)
                self.goes_on_at = account.warm_up.goes_on_at(now)
        return self._places.get(group, 0) > 0

    def use(self, domain: str = "") -> None:
        if self._account is not None and self._account.warm_up is not None:
            group = self._account.warm_up.group_of(domain)
            self._places[group] = max(0, self._places.get(group, 0) - 1)

    def close(self) -> None:
        """Gives back the places that were not used."""
        if self._account is not None and self._day is not None:
            for group, places in self._places.items():
                # Without the database the day ends with a few messages less; what was sent must be told.
                with contextlib.suppress(DatabaseError):
                    if places:
                        give_back(self._account.pk, day=self._day, places=places, group=group)
        self._account, self._day, self.goes_on_at = None, None, None
        self._places, self._full = {}, set()
