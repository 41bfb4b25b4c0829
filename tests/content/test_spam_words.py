"""Words are found whole, in both languages, in subject and text."""

from personalization.content.spam_words import check_words


def told(text: str, *, subject: str = "Hello") -> list[str]:
    return [f"{p.field}: {p.message}" for p in check_words(subject=subject, text=text)]


def test_plain_words_get_no_hint() -> None:
    assert told("Your new jars are here. Winners' circle, urgently needed. 第一次购买") == []


def test_english_words_are_found_whatever_the_case_and_the_blanks() -> None:
    assert told("Act \n NOW, it is risk-free") == [
        "body: Words that spam filters look at: act now, risk-free."
    ]


def test_chinese_words_and_forbidden_superlatives_are_told_apart() -> None:
    found = told("恭喜您中奖", subject="全国第一，史无前例！！！")
    assert [line.split(":")[0] for line in found] == ["subject", "subject", "body"]
    assert "恭喜您中奖" in found[2] and "全国第一, 史无前例" in found[0] and "Repeated" in found[1]
