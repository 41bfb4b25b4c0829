"""Customers from files, known by `external_id`, else by e-mail or phone; unmapped columns become traits.

An empty cell says nothing and changes nothing. Consent is never implied by an import: only a column mapped
to `email_consent` states it (`import_consents`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.customers.declared import SEALED, settle
from personalization.customers.declared_columns import apply_once, seal_rows, sealed_json
from personalization.customers.errors import InvalidTraits
from personalization.customers.import_consents import record_consents, said, said_once
from personalization.customers.import_owners import find_owners, nameless_with
from personalization.customers.models import Customer
from personalization.customers.phones import normalize_phone
from personalization.customers.trait_rules import TraitRule
from personalization.customers.traits import COLUMNS, check_column, clean_text, column_of, split_traits
from personalization.importing import columns as plain_columns
from personalization.importing import values as cells
from personalization.importing.arrow import pc
from personalization.importing.columns import Plain, as_array
from personalization.importing.copying import copy_new_rows, copy_text, upsert
from personalization.importing.pipeline import Importer, Written
from personalization.importing.reading import plain
from personalization.importing.values import RowError

# `sealed`: values of encrypted traits, as JSON; null for nearly all.
SCHEMA = pa.schema([
    (name, pa.string())
    for name in ("external_id", *COLUMNS, "traits", "created_at", "sealed", "email_consent")
])  # fmt: skip
TYPES = {"external_id": "text", **dict.fromkeys(COLUMNS, "text"), "traits": "jsonb"}
_EMAIL = r'^[^\s<>,;"@]+@[^\s<>,;"@]+$'
# Columns that hold nearly any text, with their limit.
_TEXTS = {"first_name": 100, "last_name": 100, "city": 100}
# A long number of which a spreadsheet kept six digits: 1.23457E+11 is nobody's id or phone.
_CUT = r"^\d(\.\d+)?[eE]\+\d{2,}$"
# Traits that fill columns of ours as well; files that have them are read row by row.
_SPECIAL = {"name", "address"}


# Field → heads of columns that mean it, apart from case, spaces, dots and dashes.
# `email_consent` is never guessed: a yes must be meant.
USUAL: dict[str, tuple[str, ...]] = {
    "external_id": (
        "customer_id", "user_id", "id", "customer no", "customer number", "kundennr", "kundennummer",
        "kunden id", "numéro client", "n° client", "客户编号", "客户id", "会员号",
    ),
    "email": (
        "e-mail", "email address", "mail", "e-mail adresse", "adresse e-mail", "courriel", "邮箱", "电子邮件",
    ),
    "phone": ("telephone", "mobile", "telefon", "handy", "téléphone", "手机", "手机号", "电话"),
    "first_name": ("given name", "vorname", "prénom", "名字", "名"),
    "last_name": ("family name", "surname", "nachname", "nom", "姓氏", "姓"),
    "language": ("locale", "sprache", "langue", "语言"),
    "country": ("country code", "land", "pays", "国家"),
    "city": ("town", "ort", "stadt", "ville", "城市"),
    "time_zone": ("zeitzone", "时区"),
    "created_at": ("created", "registered at", "signup date", "kunde seit", "angelegt am", "注册时间"),
    "email_consent": (),
}  # fmt: skip


class CustomerImporter(Importer):
    name = "customers"
    fields = USUAL
    required_one_of = ("external_id", "email", "phone")
    schema = SCHEMA

    def __init__(
        self, *, zone: tzinfo = UTC, rules: Mapping[str, TraitRule] | None = None,
        join: Callable[[Sequence[int]], object] | None = None,
    ) -> None:  # fmt: skip
        """`rules` of declared traits, by name. `join` gets visitors who have an address of the rows."""
        self.zone = zone
        self.join = join
        self.rules = dict(rules or {})
        self.hidden = {name: SEALED for name, rule in self.rules.items() if rule.is_encrypted}
        self.now = timezone.now()
        self.all_new = True  # until a block proves otherwise

    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
        external_id = cells.text(values.get("external_id"), name="external_id")
        for name in ("external_id", "phone"):
            if re.match(_CUT, cells.text(values.get(name), limit=254, name=name)):
                raise RowError(
                    _("%(name)s: a spreadsheet has cut this number off; save its column as text")
                    % {"name": name}
                )
        created = values.get("created_at")
        try:
            columns = {
                name: check_column(name, cells.text(values.get(name), limit=254, name=name))
                for name in COLUMNS
                if values.get(name) not in (None, "")
            }
            split = split_traits({name: plain(value) for name, value in others.items() if value is not None})
        except InvalidTraits as error:
            raise RowError(str(error)) from None
        settled = settle([(0, split)], self.rules)
        for refusal in settled.refusals:
            raise RowError(f"{refusal.name}: {refusal.reason}")
        split = settled.changes[0][1]
        columns = split.columns | columns
        if columns.get("phone"):
            columns["phone"] = normalize_phone(columns["phone"], country=columns.get("country", ""))
        if not (external_id or columns.get("email") or columns.get("phone")):
            raise RowError(_("there is neither a customer id nor an e-mail or phone"))
        moment = cells.moment(created, zone=self.zone, name="created_at") if created else None
        return {
            "external_id": external_id,
            **{name: columns.get(name, "") for name in COLUMNS},
            "traits": msgspec.json.encode(split.others, order="sorted").decode(),
            "created_at": moment and moment.astimezone(UTC).isoformat(),
            "sealed": sealed_json({name: value for (_pk, name), value in settled.sealed.items()}),
            "email_consent": said(values.get("email_consent")),
        }

    def convert_plain(
        self, values: Mapping[str, pa.Array], others: Mapping[str, pa.Array], *, rows: int
    ) -> tuple[Plain, pa.Table] | None:
        if any(column_of(name) or name in _SPECIAL or clean_text(name)[:200] != name for name in others):
            return None
        if any(self.rules[name].is_encrypted for name in self.rules.keys() & others.keys()):
            return None
        others, fitting = self._declared(others, rows)
        ids = plain_columns.text(values.get("external_id", pa.nulls(rows)), limit=200)
        found = {
            "external_id": ids and _uncut(ids),
            **{name: self._column(name, values, rows) for name in COLUMNS},
            "traits": plain_columns.json_objects(others, rows=rows),
            "created_at": self._created_at(values.get("created_at"), rows),
            "sealed": plain_columns.Column(pa.nulls(rows, pa.string()), fitting),
            "email_consent": said_once(values.get("email_consent"), rows=rows),
        }
        known = {name: column for name, column in found.items() if column is not None}
        if len(known) < len(found):
            return None
        right = np.logical_and.reduce([column.plain for column in known.values()])
        named = [pc.not_equal(known[name].values, "") for name in self.required_one_of]
        right &= np.logical_or.reduce([plain_columns.truths(one) for one in named])
        return right, pa.table([column.values for column in known.values()], schema=SCHEMA)

    def _declared(
        self, others: Mapping[str, pa.Array], rows: int
    ) -> tuple[dict[str, pa.Array], plain_columns.Plain]:
        """The columns with declared ones as their types, and the rows in which each of those is good."""
        good, typed = np.ones(rows, dtype=bool), dict(others)
        for name in self.rules.keys() & others.keys():
            typed[name], right = apply_once(self.rules[name], others[name])
            good &= right
        return typed, good

    def _column(self, name: str, values: Mapping[str, pa.Array], rows: int) -> plain_columns.Column | None:
        column = values.get(name)
        if column is None:
            return plain_columns.text(pa.nulls(rows), limit=0)
        found = plain_columns.text(column, limit=_TEXTS.get(name, 254))
        if found is None or name in _TEXTS:
            return found
        if name == "email":
            empty = plain_columns.truths(pc.equal(found.values, ""))
            return found._replace(plain=found.plain & (empty | plain_columns.matches(found.values, _EMAIL)))
        if name == "phone":
            countries = self._column("country", values, rows)
            return None if countries is None else _phones(_uncut(found), countries)
        return _checked_once(name, found)

    def _created_at(self, column: pa.Array | None, rows: int) -> plain_columns.Column | None:
        if column is None:
            return plain_columns.Column(pa.nulls(rows, pa.string()), np.ones(rows, dtype=bool))
        found = plain_columns.moments(column, zone=self.zone)
        if found is None:
            return None
        missing = ~plain_columns.truths(pc.is_valid(column))
        return plain_columns.Column(plain_columns.utc_texts(found), found.plain | missing)

    def write(self, table: pa.Table) -> Written:
        owners = find_owners(table)
        place = table.schema.names.index("external_id")
        table = table.set_column(place, "external_id", owners.ids)
        if owners.rejects:
            table = table.filter(pc.not_equal(owners.ids, ""))
        written = self._write(table) if table.num_rows else Written()
        written.rejects = owners.rejects
        if self.join and (visitors := nameless_with(table)):
            self.join(visitors)
        return written

    def _write(self, table: pa.Table) -> Written:
        table = _merge_doubles(table)
        created = pc.fill_null(as_array(table["created_at"]), self.now.isoformat())
        columns = [as_array(table[name]) for name in TYPES]
        if self.all_new:
            order = pc.sort_indices(columns[0])
            now = timezone.now().isoformat()
            self.all_new = copy_new_rows(
                Customer._meta.db_table,
                [*TYPES, "created_at", "updated_at"],
                copy_text([*(column.take(order) for column in columns), created.take(order), now]),
            )
            if self.all_new:
                seal_rows(table)
                record_consents(table)
                return Written(new=table.num_rows)
        written = upsert(
            table=Customer._meta.db_table,
            key="external_id",
            types=TYPES | {"created_at": "timestamptz"},
            text=copy_text([*columns, created]),
            update={name: f"coalesce(nullif(excluded.{name}, ''), t.{name})" for name in COLUMNS}
            # A customer first seen in an event is as old as the older of the two statements.
            | {
                "traits": "t.traits || excluded.traits",
                "created_at": "least(t.created_at, excluded.created_at)",
            },
            constants={"updated_at": "now()"},
        )
        seal_rows(table)
        record_consents(table)
        return written


def _checked_once(name: str, found: plain_columns.Column) -> plain_columns.Column:
    """Each different value is checked once: countries, languages and time zones are few."""
    encoded = pc.dictionary_encode(found.values)
    checked, right = [], []
    for value in encoded.dictionary.to_pylist():
        try:
            checked.append(check_column(name, value))
            right.append(True)
        except InvalidTraits:
            checked.append("")
            right.append(False)
    values = pa.array(checked, pa.string()).take(encoded.indices)
    return plain_columns.Column(values, found.plain & np.array(right, dtype=bool)[encoded.indices.to_numpy()])


def _uncut(found: plain_columns.Column) -> plain_columns.Column:
    return found._replace(plain=found.plain & ~plain_columns.matches(found.values, _CUT))


def _phones(found: plain_columns.Column, countries: plain_columns.Column) -> plain_columns.Column:
    plain_cells = (
        found.plain & countries.plain & plain_columns.truths(pc.less_equal(pc.utf8_length(found.values), 32))
    )
    pairs = zip(found.values.to_pylist(), countries.values.to_pylist(), plain_cells.tolist(), strict=True)
    numbers = [
        normalize_phone(phone, country=country) if phone and ok else phone for phone, country, ok in pairs
    ]
    return plain_columns.Column(pa.array(numbers, pa.string()), plain_cells)


def _merge_doubles(table: pa.Table) -> pa.Table:
    """One row per customer: what a later line says counts, what it leaves open stays."""
    codes = pc.dictionary_encode(as_array(table["external_id"])).indices.to_numpy()
    double = np.bincount(codes)[codes] > 1
    if not double.any():
        return table
    merged: dict[str, dict[str, Any]] = {}
    for row in table.filter(pa.array(double)).to_pylist():
        known = merged.setdefault(row["external_id"], row)
        if known is not row:
            traits = msgspec.json.decode(known["traits"]) | msgspec.json.decode(row["traits"])
            known_sealed = known["sealed"]
            known |= {name: value for name, value in row.items() if value}
            sealed = {
                name: value
                for source in (known_sealed, row["sealed"])
                if source
                for name, value in msgspec.json.decode(source).items()
            }
            known["traits"], known["sealed"] = msgspec.json.encode(traits).decode(), sealed_json(sealed)
    rest = table.filter(pa.array(~double))
    return pa.concat_tables([rest, pa.Table.from_pylist(list(merged.values()), SCHEMA)]).combine_chunks()
