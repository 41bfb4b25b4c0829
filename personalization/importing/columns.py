"""Whole columns at once: the cells that need no thought, and which those are. Pure: Arrow and NumPy alone.

Every function answers the values and `plain`, one truth per cell. Where it is false the row is converted
alone, by `values.py`, which decides what odd cells mean; so these rules never have to. None: no cell of such
a column is plain.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from personalization.importing.arrow import pc

Plain = NDArray[np.bool_]
# What Python strips or PostgreSQL does not store; an ordinary space is no odd one.
ODD_LETTER = (
    r"[\x00-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]"
)
_ESCAPED = r'[\x00-\x1f"\\]'
_MONEY = r"^[+-]?\d{1,11}(\.\d{1,2})?$"
_MINUS_NOTHING = r"^-0*(\.0*)?$"
_DAY = r"(19|20|21)\d\d-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
_ZONE = r"(Z|[+-](0\d|1[0-3]):(00|15|30|45))$"
_TIME = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{3}|\.\d{6})?)?"
_MOMENT = rf"^{_DAY}([T ]{_TIME}({_ZONE[:-1]})?)?$"
_FIRST, _LAST = -2_208_988_800_000_000, 7_258_118_400_000_000  # 1900 and 2200, microseconds
_QUARTER = 900_000_000


class Column(NamedTuple):
    values: pa.Array
    plain: Plain


class Moments(NamedTuple):
    """`utc`: microseconds since 1970. `minutes`: east of Greenwich, as meant. Both 0 where not plain."""

    utc: NDArray[np.int64]
    minutes: NDArray[np.int64]
    plain: Plain


def truths(array: pa.Array) -> Plain:
    """As NumPy; null is false."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def matches(column: pa.Array, pattern: str) -> Plain:
    return truths(pc.match_substring_regex(column, pattern))


def text(column: pa.Array, *, limit: int) -> Column | None:
    """Stripped text, "" for null."""
    rows = len(column)
    if pa.types.is_null(column.type):
        return Column(pa.array([""] * rows, pa.string()), np.ones(rows, dtype=bool))
    if pa.types.is_integer(column.type):
        return Column(pc.fill_null(pc.cast(column, pa.string()), ""), np.ones(rows, dtype=bool))
    if not pa.types.is_string(column.type):
        return None
    trimmed = pc.fill_null(pc.utf8_trim(column, " "), "")
    plain = truths(pc.less_equal(pc.utf8_length(trimmed), limit))
    return Column(trimmed, plain & ~matches(column, ODD_LETTER))


def money(column: pa.Array) -> Column | None:
    """Amounts as text with two decimals, null where there is none."""
    kind = column.type
    missing = ~truths(pc.is_valid(column))
    if pa.types.is_null(kind):
        return Column(pc.cast(column, pa.string()), np.ones(len(column), dtype=bool))
    if pa.types.is_string(kind):
        plain = matches(column, _MONEY) & ~matches(column, _MINUS_NOTHING)
        amounts = pc.cast(pc.if_else(pa.array(plain), column, None), pa.decimal128(16, 2))
        return Column(pc.cast(amounts, pa.string()), plain | missing)
    if pa.types.is_integer(kind) and kind != pa.uint64():
        whole = pc.cast(column, pa.int64())
        # Both bounds: the least whole number has no absolute value.
        plain = truths(pc.and_(pc.greater(whole, -(10**11)), pc.less(whole, 10**11))) | missing
        return Column(pc.binary_join_element_wise(pc.cast(whole, pa.string()), ".00", ""), plain)
    if pa.types.is_float64(kind):
        return _money_of_floats(column, missing)
    return None


def _money_of_floats(column: pa.Array, missing: Plain) -> Column:
    values = np.nan_to_num(column.fill_null(0).to_numpy(zero_copy_only=False), nan=1e300, posinf=1e300)
    values = np.where(np.abs(values) < 1e9, values, 1e300)
    plain = np.abs(values) < 1e9
    cents = np.where(plain, values, 0) * 100
    rounded = np.rint(cents)
    # The half is rounded by its decimal digits, which only Decimal knows.
    plain &= np.abs(np.abs(cents - np.floor(cents)) - 0.5) > 1e-4
    plain &= (values > 0) | (rounded != 0) | (values == 0) & ~np.signbit(values)
    number = pa.array(np.abs(rounded).astype(np.int64))
    whole = pc.divide(number, 100)
    digits = pc.utf8_lpad(pc.cast(pc.subtract(number, pc.multiply(whole, 100)), pa.string()), 2, "0")
    sign = pc.if_else(pa.array(rounded < 0), "-", "")
    shown = pc.binary_join_element_wise(sign, pc.cast(whole, pa.string()), "")
    shown = pc.binary_join_element_wise(shown, digits, ".")
    return Column(pc.if_else(pa.array(missing), None, shown), plain | missing)


def moments(column: pa.Array, *, zone: tzinfo) -> Moments | None:
    """Times; where the cell names no zone, `zone` is meant. A null is not plain."""
    kind = column.type
    if pa.types.is_string(kind):
        return _moments_of_text(column, zone)
    plain = truths(pc.is_valid(column))
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        local = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
        return _in_zone(local.fill_null(0).to_numpy(), zone, plain)
    if pa.types.is_timestamp(kind) and kind.tz in ("UTC", "+00:00", "Etc/UTC"):
        utc = pc.cast(pc.cast(column, pa.timestamp("us", "UTC"), safe=False), pa.int64())
        return _in_range(utc.fill_null(0).to_numpy(), plain)
    if pa.types.is_integer(kind) and kind != pa.uint64():
        number = pc.cast(column, pa.int64()).fill_null(0).to_numpy()
        plain &= (number > -(10**14)) & (number < 10**14)
        number = np.where(plain, number, 0)
        return _in_range(number * np.where(np.abs(number) > 10**11, 1_000, 1_000_000), plain)
    return None


def _in_range(utc: NDArray[np.int64], plain: Plain) -> Moments:
    plain = plain & (utc >= _FIRST) & (utc < _LAST)
    return Moments(np.where(plain, utc, 0), np.zeros(len(utc), dtype=np.int64), plain)


def _moments_of_text(column: pa.Array, zone: tzinfo) -> Moments:
    plain = matches(column, _MOMENT)
    cells = pc.if_else(pa.array(plain), column, None)
    zoned = matches(cells, _ZONE)
    naive = pc.replace_substring_regex(cells, _ZONE, "") if zoned.any() else cells
    local = pc.cast(pc.cast(naive, pa.timestamp("us")), pa.int64()).fill_null(0).to_numpy()
    found = _in_zone(local, zone, plain & ~zoned)
    if not zoned.any():
        return found
    named = pc.extract_regex(pc.if_else(pa.array(zoned), cells, None), r"(?P<zone>Z|[+-]\d\d:\d\d)$")
    named = named.field("zone")
    encoded = pc.dictionary_encode(named)
    known = np.array([_minutes(name) for name in encoded.dictionary.to_pylist()] or [0], dtype=np.int64)
    minutes = np.where(zoned, known[encoded.indices.fill_null(0).to_numpy()], found.minutes)
    utc = np.where(zoned, local - minutes * 60_000_000, found.utc)
    return Moments(utc, minutes, found.plain | zoned)


def _minutes(zone: str | None) -> int:
    if zone in (None, "Z", ""):
        return 0
    return (-1 if zone[0] == "-" else 1) * (int(zone[1:3]) * 60 + int(zone[4:6]))


def _in_zone(local: NDArray[np.int64], zone: tzinfo, plain: Plain) -> Moments:
    found = _in_range(local, plain)
    if zone is UTC or getattr(zone, "key", "") == "UTC":
        return found
    # Since 1970 clocks were only ever changed on a quarter of an hour: one question per quarter is enough.
    plain = found.plain & (local >= 0)
    quarters, where = np.unique(np.where(plain, local // _QUARTER, 0), return_inverse=True)
    start = datetime(1970, 1, 1, tzinfo=zone).replace(tzinfo=None)
    asked = [(start + timedelta(minutes=15 * quarter)).replace(tzinfo=zone) for quarter in quarters.tolist()]
    seconds = np.array([_seconds(moment.utcoffset()) for moment in asked], dtype=np.int64)[where]
    plain &= seconds % 60 == 0
    return Moments(np.where(plain, local - seconds * 1_000_000, 0), np.where(plain, seconds // 60, 0), plain)


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())


def iso_texts(found: Moments) -> pa.Array:
    """As `datetime.isoformat` writes them, with Z for a distance of 0: what a message id is made of."""
    local = found.utc + found.minutes * 60_000_000
    shown = _without_zone(local)
    distances, where = np.unique(found.minutes, return_inverse=True)
    names = pa.array([_zone_name(minutes) for minutes in distances.tolist()])
    return pc.binary_join_element_wise(shown, names.take(pa.array(where)), "")


def _without_zone(local: NDArray[np.int64]) -> pa.Array:
    stamps = pa.array(local).cast(pa.timestamp("us"))
    shown = pc.cast(pc.cast(stamps, pa.timestamp("s"), safe=False), pa.string())
    if (local % 1_000_000).any():
        shown = pc.if_else(pa.array(local % 1_000_000 != 0), pc.cast(stamps, pa.string()), shown)
    return pc.replace_substring(shown, " ", "T")


def _zone_name(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return "Z" if minutes == 0 else f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def utc_texts(found: Moments) -> pa.Array:
    """As COPY reads them; null where not plain."""
    shown = pc.binary_join_element_wise(_without_zone(found.utc), "+00", "")
    return pc.if_else(pa.array(found.plain), shown, None)


def json_objects(columns: Mapping[str, pa.Array], *, rows: int) -> Column | None:
    """One JSON object per row, keys sorted, nulls left out. Not plain: numbers that JSON does not have."""
    plain = np.ones(rows, dtype=bool)
    parts = []
    for name in sorted(columns):
        found = json_values(columns[name])
        if found is None:
            return None
        key = "," + msgspec.json.encode(name).decode() + ":"
        parts.append(pc.fill_null(pc.binary_join_element_wise(pa.scalar(key), found.values, ""), ""))
        plain &= found.plain
    if not parts:
        return Column(pa.array(["{}"] * rows, pa.string()), plain)
    # Not Arrow's way to skip nulls: it leaves out the row where every cell is null.
    objects = pc.binary_join_element_wise(pa.scalar("{"), *parts, pa.scalar("}"), "")
    return Column(pc.replace_substring(objects, "{,", "{", max_replacements=1), plain)


def json_values(column: pa.Array) -> Column | None:
    """Cells as JSON; null stays null."""
    kind = column.type
    plain = np.ones(len(column), dtype=bool)
    if pa.types.is_string(kind):
        return Column(json_texts(column), plain)
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        return Column(pc.cast(column, pa.string()), plain)
    if pa.types.is_boolean(kind):
        return Column(pc.if_else(column, "true", "false"), plain)
    if pa.types.is_float64(kind):
        numbers = column.fill_null(0.0).to_numpy(zero_copy_only=False)
        plain = np.abs(numbers) < 1e38
        shown = msgspec.json.encode(np.where(plain, numbers, 0.0).tolist())[1:-1].decode().split(",")
        values = pa.array(shown if len(column) else [], pa.string())
        return Column(pc.if_else(pc.is_valid(column), values, None), plain)
    if pa.types.is_date32(kind):
        return Column(_quoted(pc.cast(column, pa.string())), plain)
    if pa.types.is_timestamp(kind) and kind.tz is None and kind.unit == "us":
        shown = _without_zone(pc.cast(column, pa.int64()).fill_null(0).to_numpy())
        return Column(pc.if_else(pc.is_valid(column), _quoted(shown), None), plain)
    return None


def json_texts(column: pa.Array) -> pa.Array:
    """Texts in quotes, escaped; what PostgreSQL cannot store is dropped. Null stays null."""
    odd = matches(column, _ESCAPED)
    quoted = _quoted(column)
    if not odd.any():
        return quoted
    cells = column.filter(pa.array(odd)).to_pylist()
    escaped = [msgspec.json.encode(cell.replace("\0", "")).decode() for cell in cells]
    return pc.replace_with_mask(quoted, pa.array(odd), pa.array(escaped, pa.string()))


def _quoted(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar('"'), column, pa.scalar('"'), "")


def as_array(column: Any) -> pa.Array:
    """One array of what may come in chunks."""
    if isinstance(column, pa.ChunkedArray):
        return (
            column.chunk(0)
            if column.num_chunks == 1
            else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
        )
    return column
