"""What a text claims without a figure: that something is free, reduced, or ends on a day. No Django.

Each claim has its words in English and Chinese, so that a translation claims what its source does.
"""

import re
from datetime import date

_WEEKDAYS = [
    "monday 一",
    "tuesday 二",
    "wednesday 三",
    "thursday 四",
    "friday 五",
    "saturday 六",
    "sunday [日天]",
]
CLAIMS = {
    "free": r"\bfree\b|\bon us\b|\bcomplimentary\b|免费|包邮|免运费|免邮|白送|赠送",
    "half price": r"\bhalf[- ](?:the )?price\b|\bhalf off\b|半价",
    "two for one": r"\bbuy one\b|\bbogo\b|\btwo for one\b|买一送一",
    "reduced": r"\bdiscount\w*|\bon sale\b|\breduced\b|\bcheaper\b|\bmarkdowns?\b|\bbargains?\b"
    r"|\b(?:prices?|money) (?:cut|off|back)\b|\blowest price\w*"
    r"|折扣|打折|优惠|降价|特价|促销|满减|立减|返现|最低价",
    "guaranteed": r"\bguarante\w+|\bmoney[- ]back\b|保证|包退",
    "ends": r"\buntil\b|\bends?\b|\blast chance\b|\bexpires?\b|\bhurry\b|\bfinal (?:hours?|days?)\b"
    r"|\blimited time\b|最后机会|最后一天|即将结束|限时|截止|倒计时",
    "scarce": r"\b(?:almost|nearly|selling) (?:gone|out)\b|\bsold out\b|\blast ones?\b|\bonly a few\b"
    r"|售罄|仅剩|库存不多|抢购一空",
    "today": r"\btoday\b|\btonight\b|今天|今日|今晚",
    "tomorrow": r"\btomorrow\b|明天|明日|明晚",
    "this weekend": r"\bweekend\b|周末",
    "this week": r"\bthis week\b|本周|这周|本星期",
    "this month": r"\bthis month\b|本月|这个月",
    **{line.split()[0].capitalize(): rf"\b{line.split()[0]}s?\b|(?:周|星期|礼拜){line.split()[1]}"
       for line in _WEEKDAYS},
}  # fmt: skip
PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in CLAIMS.items()}
WEEKDAYS = [line.split()[0].capitalize() for line in _WEEKDAYS]


def claims(text: str) -> dict[str, str]:
    """Each claim with the words that make it."""
    found = {name: pattern.search(text) for name, pattern in PATTERNS.items()}
    return {name: match[0] for name, match in found.items() if match}


def weekdays(dates: set[tuple[int | None, int, int | None]]) -> set[str]:
    """The names of the days of the week on which dates with a year fall."""
    found = set()
    for year, month, day in dates:
        try:
            if year and day:
                found.add(WEEKDAYS[date(year, month, day).weekday()])
        except ValueError:
            continue
    return found
