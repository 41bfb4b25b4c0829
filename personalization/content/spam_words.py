"""Words that filters and laws look at, in English and Chinese: hints, for a word alone makes no spam.

English: what SpamAssassin's stock rules of text score (money, medicine, urgency, false promises). Chinese:
superlatives that article 9 of the Advertising Law of the People's Republic of China (2015) forbids, and what
mail filters there look at.
"""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from personalization.content.errors import Problem

ENGLISH = (
    "100% free", "act now", "as seen on tv", "apply now", "be your own boss", "cash bonus", "cheap meds",
    "click below", "consolidate your debt", "credit card offers", "dear friend", "double your income",
    "earn money", "earn extra cash", "extra income", "fast cash", "financial freedom", "free gift",
    "free money", "get rich", "get paid", "guaranteed", "increase sales", "limited time only", "lose weight",
    "lowest price", "make money", "million dollars", "miracle", "money back", "no catch", "no cost",
    "no credit check", "no obligation", "no risk", "no strings attached", "not spam", "once in a lifetime",
    "order now", "risk-free", "satisfaction guaranteed", "this is not spam", "urgent", "viagra",
    "while supplies last", "winner", "work from home", "you have been selected", "you are a winner",
)  # fmt: skip
CHINESE = (
    "免费领取", "免费赠送", "点击领取", "立即抢购", "最后机会", "恭喜您中奖", "恭喜中奖", "中奖", "代开发票",
    "开发票", "发票", "日赚", "月入过万", "轻松赚钱", "兼职", "贷款", "无抵押", "包过", "稳赚", "零风险",
    "无风险", "高回报", "保本", "秒杀价", "私服", "博彩", "澳门", "加微信", "特效药", "包治",
)  # fmt: skip
SUPERLATIVES = (
    "国家级", "最高级", "最佳", "最好", "最低价", "最便宜", "最先进", "第一品牌", "全国第一", "全网第一",
    "世界第一", "销量第一", "顶级", "极品", "绝无仅有", "史无前例", "独一无二", "永久", "万能", "百分之百",
)  # fmt: skip
_WORDS = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, ENGLISH)) + r")(?!\w)", re.IGNORECASE)
_SIGNS = re.compile("|".join(sorted(map(re.escape, CHINESE), key=len, reverse=True)))
_SUPERLATIVES = re.compile("|".join(map(re.escape, SUPERLATIVES)))
_SPACE = re.compile(r"\s+")
_MONEY = re.compile(r"[$€£¥￥]{2,}|!{3,}|！{3,}")


def check_words(*, subject: str, text: str) -> list[Problem]:
    """Warnings for subject and plain text as rendered."""
    found = [
        (name, sentence) for name, part in (("subject", subject), ("body", text)) for sentence in _in(part)
    ]
    return [Problem(name, sentence, level="warning") for name, sentence in found]


def _in(text: str) -> Iterator[str]:
    text = _SPACE.sub(" ", text)
    words = _named([*_WORDS.findall(text), *_SIGNS.findall(text)])
    if words:
        yield _("Words that spam filters look at: %(words)s.") % {"words": words}
    if superlatives := _named(_SUPERLATIVES.findall(text)):
        yield (
            _("Superlatives that the Advertising Law of China does not allow (article 9): %(words)s.")
            % {"words": superlatives}
        )
    if _MONEY.search(text):
        yield _("Repeated signs of money or exclamation look like spam.")


def _named(words: list[str]) -> str:
    return ", ".join(dict.fromkeys(word.lower() for word in words))
