"""Places under the volume of a day: counted in PostgreSQL, so a flushed Redis gives nobody a second day.

Workers take a few at a time and give back what they did not use; a killed one keeps its few, so a day may
end with a few messages less and never with one more.
"""

from datetime import date

from django.db import connection, transaction

from campaigns.pacing.warm_up import REST

LOT = 20


def take_places(account_id: int, *, day: date, volume: int, group: str = REST, most: int = LOT) -> int:
    """How many of `most` there was room for, to the domains of that group."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DAY, [account_id, day])
        cursor.execute(_LOCK, {"group": group, "account": account_id, "day": day})
        taken = cursor.fetchone()[0]
        places = max(0, min(most, volume - taken))
        if places:
            cursor.execute(_ADD, {"n": places, "group": group, "account": account_id, "day": day})
        return int(places)


def give_back(account_id: int, *, day: date, places: int, group: str = REST) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"n": -places, "group": group, "account": account_id, "day": day})


_DAY = """
    INSERT INTO campaigns_warmupday (account_id, day, taken) VALUES (%s, %s, 0)
    ON CONFLICT (account_id, day) DO NOTHING
"""
_LOCK = """
    SELECT CASE WHEN %(group)s = '' THEN taken ELSE coalesce((by_group ->> %(group)s)::int, 0) END
    FROM campaigns_warmupday WHERE account_id = %(account)s AND day = %(day)s FOR UPDATE
"""
_ADD = """
    UPDATE campaigns_warmupday SET
        taken = CASE WHEN %(group)s = '' THEN greatest(0, taken + %(n)s) ELSE taken END,
        by_group = CASE WHEN %(group)s = '' THEN by_group ELSE by_group || jsonb_build_object(
            %(group)s::text, greatest(0, coalesce((by_group ->> %(group)s)::int, 0) + %(n)s)) END
    WHERE account_id = %(account)s AND day = %(day)s
"""
