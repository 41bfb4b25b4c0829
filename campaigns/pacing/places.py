"""Places under the volume of a day: counted in PostgreSQL, so a flushed Redis gives nobody a second day.

Workers take a few at a time and give back what they did not use; a killed one keeps its few, so a day may
end with a few messages less and never with one more.
"""

from datetime import date

from django.db import connection, transaction

LOT = 20


def take_places(account_id: int, *, day: date, volume: int, most: int = LOT) -> int:
    """How many of `most` there was room for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DAY, [account_id, day])
        cursor.execute(_LOCK, [account_id, day])
        pk, taken = cursor.fetchone()
        places = max(0, min(most, volume - taken))
        if places:
            cursor.execute(_ADD, [places, pk])
        return int(places)


def give_back(account_id: int, *, day: date, places: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [places, account_id, day])


_DAY = """
    INSERT INTO campaigns_warmupday (account_id, day, taken) VALUES (%s, %s, 0)
    ON CONFLICT (account_id, day) DO NOTHING
"""
_LOCK = "SELECT id, taken FROM campaigns_warmupday WHERE account_id = %s AND day = %s FOR UPDATE"
_ADD = "UPDATE campaigns_warmupday SET taken = taken + %s WHERE id = %s"
_GIVE_BACK = """
    UPDATE campaigns_warmupday SET taken = greatest(0, taken - %s) WHERE account_id = %s AND day = %s
"""
