"""Which column of a file fills which field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _


class UnknownColumn(Exception):
    """The mapping names a field or a column that is not there."""


class HasFields(Protocol):
    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass
class ColumnMap:
    """Which columns fill which field; everything else is left over."""

    columns: dict[str, tuple[str, ...]]

    def split(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        values: dict[str, Any] = {}
        others = dict(row)
        for name, columns in self.columns.items():
            cells = [others.pop(column, None) for column in columns]
            values[name] = cells[0] if len(cells) == 1 else [cell for cell in cells if cell is not None]
        return values, others


def map_columns(
    importer: HasFields,
    present: Iterable[str],
    *,
    chosen: Mapping[str, Sequence[str]],
    strict: bool = True,
) -> ColumnMap:
    """The chosen columns, and for other fields the first usual name that is present.

    A field chosen with no column at all stays empty. Raises UnknownColumn for an unknown field, and for a
    chosen column that is absent if `strict`.
    """
    names = list(present)
    by_plain = {_plain(name): name for name in reversed(names)}
    columns: dict[str, tuple[str, ...]] = {}
    for name, wanted in chosen.items():
        if name not in importer.fields:
            known = ", ".join(importer.fields)
            raise UnknownColumn(
                _("There is no field %(name)s; known: %(known)s") % {"name": name, "known": known}
            )
        missing = [column for column in wanted if column not in names]
        if missing and strict:
            raise UnknownColumn(
                _("There is no column %(column)s; the file has: %(names)s")
                % {"column": missing[0], "names": ", ".join(names)}
            )
        columns[name] = tuple(wanted)
    taken = {column for group in columns.values() for column in group}
    for name, usual in importer.fields.items():
        found = [by_plain[_plain(u)] for u in (name, *usual) if _plain(u) in by_plain]
        if name not in columns and found and found[0] not in taken:
            columns[name] = (found[0],)
            taken.add(found[0])
    return ColumnMap({name: group for name, group in columns.items() if group})


def _plain(name: str) -> str:
    return re.sub(r"[\s_.:*\-]", "", name.lower())
