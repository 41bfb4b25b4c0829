"""Who is chosen to be shown, and why."""

from dataclasses import replace

from campaigns.proofs.unlike import Seen, choose, width

USUAL = Seen(1, "Ann Lee", "en", "Europe/London", 0, True, True)


def kinds(people: list[Seen]) -> dict[str, int]:
    return {one.kind: one.customer_id for one in choose(people)}


def test_six_unlike_ones_are_chosen_each_for_a_reason() -> None:
    people = [
        *(replace(USUAL, id=n) for n in range(1, 6)),
        replace(USUAL, id=10, name="Wolfeschlegelsteinhausenbergerdorff Maximilian"),
        replace(USUAL, id=11, language="zh-CN", name="李雷"),
        replace(USUAL, id=12, language="ar", name="ليلى"),
        replace(USUAL, id=13, has_history=False),
        replace(USUAL, id=14, name="", language="", missing=6),
    ]
    assert kinds(people) == {
        "right_to_left": 12, "missing_data": 14, "longest_name": 10, "other_language": 11, "no_history": 13,
        "usual": 1,
    }  # fmt: skip


def test_nobody_stands_twice_and_reasons_that_nobody_fits_are_left_out() -> None:
    found = choose([USUAL, replace(USUAL, id=2)])
    assert len({one.customer_id for one in found}) == len(found) == 2
    assert "right_to_left" not in {one.kind for one in found} and choose([]) == []


def test_hebrew_letters_count_without_a_language_and_markup_in_a_name_is_found() -> None:
    found = kinds(
        [replace(USUAL, id=2, language="", name="דנה"), replace(USUAL, id=3, name="<b>{{x}}"), USUAL]
    )
    assert found["right_to_left"] == 2 and 3 in found.values()


def test_the_reachable_come_first() -> None:
    hidden = replace(USUAL, id=2, missing=5, is_reachable=False)
    assert kinds([hidden, replace(USUAL, id=3, missing=1)])["missing_data"] == 3


def test_wide_letters_take_two_columns() -> None:
    assert width("李雷") == 4 > width("Ann")
