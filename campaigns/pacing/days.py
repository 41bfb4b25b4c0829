"""A worker's places under today's volume of the account it sends with."""

import contextlib
from datetime import date, datetime

from django.db import DatabaseError
from django.utils import timezone

from campaigns.pacing.places import give_back, take_places
from campaigns.sending.failover import Account


class Day:
    """`goes_on_at`: when there is room again, once there was none."""

    def __init__(self) -> None:
        self.goes_on_at: datetime | None = None
        self._account: Account | None = None
        self._day: date | None = None
        self._places = 0

    def has_room(self, account: Account | None) -> bool:
        """Whether one more message may go today; takes places when it has none left."""
        if account is None or account.warm_up is None:
            self.close()
            return True
        now = timezone.now()
        day = account.warm_up.day_of(now)
        if self._account != account or self._day != day:
            self.close()
            self._account, self._day = account, day
        volume = account.warm_up.volume_of(day)
        if volume is None or self._places:
            return True
        if self.goes_on_at is None:
            self._places = take_places(account.pk, day=day, volume=volume)
            if not self._places:
                self.goes_on_at = account.warm_up.goes_on_at(now)
        return self._places > 0

    def use(self) -> None:
        self._places = max(0, self._places - 1)

    def close(self) -> None:
        """Gives back the places that were not used."""
        if self._places and self._account is not None and self._day is not None:
            # Without the database the day ends with a few messages less; what was sent must still be told.
            with contextlib.suppress(DatabaseError):
                give_back(self._account.pk, day=self._day, places=self._places)
        self._account, self._day, self._places, self.goes_on_at = None, None, 0, None
