"""Numbers, amounts, percentages, dates and times that a text states, in English and Chinese. No Django.

A figure that can be read in two ways (1.299) has both readings: it agrees with a fact if one of them does.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

Date = tuple[int | None, int, int | None]  # year, month, day

MONTHS = {
    name: number
    for number, names in enumerate(
        ["january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sept sep", "october oct", "november nov", "december dec"], 1)
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
DATES = [
    re.compile(rf"{_YEAR}-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?!\d)"),
    re.compile(rf"(?:{_YEAR}年)?(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})[日号])?"),
    re.compile(rf"\b{_DAY}(?: of)? (?P<name>{_MONTH})\b\.?(?:,? {_YEAR})?", re.IGNORECASE),
    re.compile(rf"\b(?P<name>{_MONTH})\b\.? {_DAY}\b(?:,? {_YEAR})?", re.IGNORECASE),
    re.compile(rf"\b(?P<name>{_MONTH})\b(?:,? {_YEAR})?", re.IGNORECASE),
]
SLASHED = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})(?:[./-](\d{4}|\d{2}))?(?![\d%])")
# Words that are months only with a capital letter.
ALSO_WORDS = {"may", "march", "mar", "sep", "jan", "dec", "jun"}
TIMES = re.compile(
    r"(?<!\d)(?P<h>\d{1,2})[:：](?P<m>\d{2})(?!\d)(?:\s?(?P<half>[ap])\.?m\b)?"
    r"|(?<!\d)(?P<h2>\d{1,2})\s?(?P<half2>[ap])\.?m\b|(?<!\d)(?P<h3>\d{1,2})[点點](?P<m3>半)?",
    re.IGNORECASE,
)
# Atomic, and never from inside of a number: a long row of digits is read once.
NUMBER = r"(?<!\d)(?<!\d[.,])(?>\d{1,3}(?:[ '\u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
SCALE = {"k": 1_000, "m": 1_000_000, "bn": 10**9, "千": 1_000, "万": 10_000, "百万": 1_000_000, "亿": 10**8}
AMOUNT = rf"(?P<number>{NUMBER})\s?(?P<scale>百万|万|千|亿|bn\b|[kKM](?![^\W\d_]))?"
PERCENT = re.compile(rf"{AMOUNT}\s?(?P<sign>%|‰|per ?cent\b|pct\b|个?百分点)", re.IGNORECASE)
HUNDREDTHS = re.compile(rf"百分之(?P<number>{NUMBER})")
TENTHS = re.compile(r"(?P<number>\d(?:\.\d)?|[1-9]\d)\s?折")
CODES = "USD EUR GBP CNY JPY INR KRW BRL AUD CAD HKD TWD SGD CHF SEK PLN NZD MXN"
CURRENCIES = {
    "$": "USD AUD CAD HKD TWD SGD NZD MXN", "€": "EUR", "£": "GBP", "¥": "CNY JPY", "₹": "INR", "₩": "KRW",
    "元": "CNY HKD TWD JPY", "块": "CNY", "円": "JPY", "rmb": "CNY", "dollar": "USD AUD CAD HKD TWD SGD NZD",
    "dollars": "USD AUD CAD HKD TWD SGD NZD", "bucks": "USD AUD CAD", "euro": "EUR", "euros": "EUR",
    "pound": "GBP", "pounds": "GBP", "quid": "GBP", "yuan": "CNY", "yen": "JPY", "美元": "USD", "欧元": "EUR",
    "英镑": "GBP", "人民币": "CNY", "日元": "JPY",
    **{code.lower(): code for code in CODES.split()},
}  # fmt: skip
_CURRENCY = "|".join(
    re.escape(name) + (r"\b" if name.isascii() and name.isalpha() else "")
    for name in sorted(CURRENCIES, key=len, reverse=True)
)
_AMOUNT_2 = AMOUNT.replace("P<number>", "P<number2>").replace("P<scale>", "P<scale2>")
MONEY = re.compile(
    rf"(?P<before>(?<![A-Za-z])(?:{_CURRENCY}))\s?{AMOUNT}|{_AMOUNT_2}\s?(?P<after>{_CURRENCY})",
    re.IGNORECASE,
)
PLAIN = re.compile(AMOUNT)
SMALL = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1_000, "million": 1_000_000,
    "dozen": 12, "half": 0, "double": 2, "twice": 2, "triple": 3,
}  # fmt: skip
WORDS = re.compile(r"\b(" + "|".join(SMALL) + r")s?\b", re.IGNORECASE)
WORDS_BEFORE_UNIT = re.compile(
    r"\b(" + "|".join(SMALL) + r")(?=[ -](?:per ?cent|pct|dollars|euros|pounds|bucks|yuan|yen)\b)",
    re.IGNORECASE,
)
HAN = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
HAN_NUMBER = re.compile(
    r"([零〇一二两三四五六七八九十百千万]+)(?=折|%|个?百分点|[元块天日号月周年件款小倍成次位人份])"
)
HAN_HUNDREDTHS = re.compile(r"百分之([零〇一二两三四五六七八九十百]+)")


@dataclass
class Figures:
    """What a text states. Each entry of `found` is (kind, the words, its readings)."""

    found: list[tuple[str, str, frozenset[object]]] = field(default_factory=list)

    def of(self, kind: str) -> set[object]:
        return {reading for one, _words, readings in self.found if one == kind for reading in readings}


def plain_digits(text: str) -> str:
    """Compatibility forms (full-width, circled, superscript) and digits of all scripts as ASCII; Chinese
    numerals before a measure as digits."""
    text = unicodedata.normalize("NFKC", text.replace("\u00a0", "\u202f"))
    text = "".join(
        str(unicodedata.decimal(c)) if not c.isascii() and unicodedata.decimal(c, None) is not None else c
        for c in text
    )
    text = WORDS_BEFORE_UNIT.sub(lambda m: str(SMALL[m[1].lower()]), text)
    text = HAN_HUNDREDTHS.sub(lambda m: f"{_han(m[1])}%", text)
    return HAN_NUMBER.sub(_digits, text)


def _digits(match: re.Match[str]) -> str:
    """八五折 is 8.5折; 一件 says no more than “a”."""
    signs, measure = match[1], match.string[match.end()]
    if signs == "一" and measure not in "折%月日号":
        return signs
    if len(signs) == 2 and all(sign in HAN for sign in signs) and measure == "折":
        return f"{HAN[signs[0]]}.{HAN[signs[1]]}"
    return str(_han(signs))


def _han(signs: str) -> int:
    if all(sign in HAN for sign in signs):
        return int("".join(str(HAN[sign]) for sign in signs))
    total, section, digit = 0, 0, 0
    for sign in signs:
        if sign in HAN:
            digit = HAN[sign]
        elif sign == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1_000}[sign]
            digit = 0
    return total + section + digit


def figures(text: str) -> Figures:
    rest, found = plain_digits(text), Figures()
    for kind, reader in (("date", _dates), ("time", _times), ("percent", _percents), ("money", _moneys),
                         ("number", _numbers)):  # fmt: skip
        for start, end, words, readings in list(reader(rest)):
            found.found.append((kind, words.strip(), frozenset(readings)))
            rest = rest[:start] + "\x01" * (end - start) + rest[end:]
    found.found += [
        ("word", match[0], frozenset({Decimal(SMALL[match[1].lower()])})) for match in WORDS.finditer(rest)
    ]
    return found


Span = tuple[int, int, str, set[object]]


def _dates(text: str) -> Iterator[Span]:
    taken = [False] * len(text)
    for pattern in DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            name = parts.get("name") or ""
            lonely = name.lower() in ALSO_WORDS and not parts.get("day") and not parts.get("year")
            if any(taken[match.start() : match.end()]) or (lonely and (name.islower() or name == "May")):
                continue
            month = MONTHS[name.lower()] if name else int(parts["month"])
            year, day = parts.get("year"), parts.get("day")
            taken[match.start() : match.end()] = [True] * (match.end() - match.start())
            yield match.start(), match.end(), match[0], {(year and int(year), month, day and int(day))}
    for match in SLASHED.finditer(text):
        first, second = int(match[1]), int(match[2])
        if any(taken[match.start() : match.end()]) or not match[3]:
            continue
        year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
        readings = {(year, m, d) for m, d in ((first, second), (second, first)) if 1 <= m <= 12 and d <= 31}
        if readings:
            yield match.start(), match.end(), match[0], set(readings)


def _times(text: str) -> Iterator[Span]:
    for match in TIMES.finditer(text):
        hour = int(match["h"] or match["h2"] or match["h3"])
        minute = int(match["m"] or (30 if match["m3"] else 0))
        half = (match["half"] or match["half2"] or "").lower()
        if half:
            hours = {hour % 12 + (12 if half == "p" else 0)}
        else:
            hours = {hour, hour + 12} if match["h3"] and hour < 12 else {hour}
        yield match.start(), match.end(), match[0], {h * 60 + minute for h in hours}


def _percents(text: str) -> Iterator[Span]:
    for match in PERCENT.finditer(text):
        scale = Decimal("0.1") if match["sign"] == "‰" else Decimal(1)
        values = {value * scale for value in readings(match["number"], match["scale"])}
        yield match.start(), match.end(), match[0], set(values)
    for match in HUNDREDTHS.finditer(text):
        yield match.start(), match.end(), match[0], set(readings(match["number"]))
    for match in TENTHS.finditer(text):
        tenths = Decimal(match["number"])
        yield match.start(), match.end(), match[0], {100 - (tenths if tenths > 10 else tenths * 10)}


def _moneys(text: str) -> Iterator[Span]:
    for match in MONEY.finditer(text):
        codes = CURRENCIES[(match["before"] or match["after"]).lower()].upper().split()
        values = readings(match["number"] or match["number2"], match["scale"] or match["scale2"])
        yield match.start(), match.end(), match[0], {(code, value) for code in codes for value in values}


def _numbers(text: str) -> Iterator[Span]:
    for match in PLAIN.finditer(text):
        yield match.start(), match.end(), match[0], set(readings(match["number"], match["scale"]))


def readings(number: str, scale: str | None = None) -> set[Decimal]:
    """1,299.00 and 1.299,00 have one reading, 1.299 has two."""
    text = re.sub(r"[ '\u00a0\u202f\u2009]", "", number)
    marks = set(text) & {".", ","}
    if len(marks) == 2:
        point = text[max(text.rfind("."), text.rfind(","))]
        other = "," if point == "." else "."
        found = {Decimal(text.replace(other, "").replace(point, ".", 1))} if text.count(point) == 1 else set()
    elif not marks:
        found = {Decimal(text)}
    else:
        (mark,) = marks
        groups = text.split(mark)
        found = {Decimal("".join(groups))} if all(len(group) == 3 for group in groups[1:]) else set()
        if len(groups) == 2:
            found.add(Decimal(text.replace(mark, ".")))
    by = SCALE.get((scale or "").lower(), 1)
    return {value * by for value in found}
