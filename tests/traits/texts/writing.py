"""Texts of a small tea shop, in English and Chinese: what they are about is known."""

import random

from personalization.traits.texts import Text

ABOUT = {
    "delivery": "parcel courier late door delivery wet driver box waiting street address broken",
    "tea": "green oolong aroma taste flowers bitter brewing leaves cup fresh mild black",
    "price": "price expensive discount voucher cheaper code money paid sale refund cost shipping",
    "快递": "快递 包装 包裹 物流 准时 破损 丢失 送货 快递员 仓库 签收 延误",
}


PRAISE = [
    "I love it, works great",
    "Great quality, would buy again",
    "Very happy, not bad at all",
    "质量很好，非常满意",
]
COMPLAINT = [
    "Broken after a week, terrible",
    "Waste of money, very bad",
    "Not good, I want a refund",
    "质量很差，不满意",
]


def write_about(n: int, *, seed: int = 3, first: int = 0) -> tuple[list[Text], list[str]]:
    """n texts of n customers, numbered from `first`, eight words each, and what each is about."""
    draw = random.Random(seed)
    topics = [draw.choice(sorted(ABOUT)) for _ in range(n)]
    return [
        Text(at, " ".join(draw.sample(ABOUT[topic].split(), 8))) for at, topic in enumerate(topics, first)
    ], topics


def write_rated(n: int) -> list[Text]:
    """Praise with five stars and complaints with one, in turn, of a customer each."""
    draw = random.Random(5)
    return [
        Text(at, " ".join(draw.sample(PRAISE if at % 2 else COMPLAINT, 2)), float(at % 2)) for at in range(n)
    ]
