"""Chinese numbers with measure words: 两件, 十二双, 128 件."""

DIGITS = "零一二三四五六七八九"
LARGEST_IN_WORDS = 99


def measure(number: int, word: str) -> str:
    """Up to ninety-nine in words (two of something is 两, never 二), above in digits."""
    if not 0 <= number <= LARGEST_IN_WORDS:
        return f"{number}{word}"
    return f"{'两' if number == 2 else in_words(number)}{word}"


def in_words(number: int) -> str:
    """0 to 99: 十, 十一, 二十, 九十九."""
    tens, ones = divmod(number, 10)
    if not tens:
        return DIGITS[ones]
    return ("" if tens == 1 else DIGITS[tens]) + "十" + (DIGITS[ones] if ones else "")
