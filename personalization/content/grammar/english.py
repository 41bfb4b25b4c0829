"""English words: a or an, and the plural of a noun."""

import re

# Written with a vowel, spoken with a consonant; and the other way round.
SPOKEN_CONSONANT = re.compile(
    r"(?:eu|ew|uni(?!n|m[^aeiou]|s[^aeiou]ue)|ubiq|use|usu|usa|uku|uran|uro|ute|uto|one(?![a-z])|once|ouija)",
    re.IGNORECASE,
)
SPOKEN_VOWEL = re.compile(r"(?:hour|honest|honor|honour|heir|hors d)", re.IGNORECASE)
LETTERS_AN = frozenset("AEFHILMNORSX")  # letters whose own names begin with a vowel
UNCOUNTABLE = frozenset({
    "advice", "clothing", "equipment", "fish", "footwear", "furniture", "hardware", "information",
    "jewelry", "jewellery", "knitwear", "lingerie", "luggage", "makeup", "merchandise", "news",
    "outerwear", "rice", "series", "sheep", "skincare", "software", "species", "sportswear",
    "stationery", "swimwear", "underwear",
})  # fmt: skip
# Words for a pair are plural already.
PAIRS = frozenset({
    "binoculars", "boxers", "briefs", "glasses", "goggles", "headphones", "jeans", "leggings",
    "pajamas", "pants", "pliers", "pyjamas", "scissors", "shorts", "sunglasses", "tights", "trousers",
})  # fmt: skip
# Ends that look like the other number.
SINGULAR_IN_S = frozenset({
    "asbestos", "atlas", "bias", "canvas", "chaos", "christmas", "gas", "lens",
})  # fmt: skip
PLURAL_IN_S = frozenset({
    "bikinis", "kiwis", "martinis", "menus", "skis", "taxis",
})  # fmt: skip
IRREGULAR = {
    "child": "children", "foot": "feet", "goose": "geese", "man": "men", "mouse": "mice", "person": "people",
    "tooth": "teeth", "woman": "women", "ox": "oxen", "die": "dice",
    "calf": "calves", "elf": "elves", "half": "halves", "knife": "knives", "leaf": "leaves", "life": "lives",
    "loaf": "loaves", "scarf": "scarves", "self": "selves", "shelf": "shelves", "thief": "thieves",
    "wife": "wives", "wolf": "wolves",
    "echo": "echoes", "hero": "heroes", "mango": "mangoes", "potato": "potatoes", "tomato": "tomatoes",
    "quiz": "quizzes",
}  # fmt: skip


def article(words: str) -> str:
    """ "an apple", "a uniform", "an hour", "an SMS", "an 8-pack"; nothing before nothing.

    By the sound of the first word; capitals that are a word of their own (a NATO plan) cannot be told.
    """
    text = words.strip()
    if not text:
        return ""
    return f"{'an' if _begins_with_vowel(text) else 'a'} {text}"


def _begins_with_vowel(text: str) -> bool:
    first = re.match(r"[^\W_]+", text.lstrip("“\"'‘(["))
    word = first[0] if first else ""
    if word[:1].isdigit():
        return _number_begins_with_vowel(word)
    # One letter, or capitals in a row: each letter is said by its name.
    if len(word) == 1 or (word.isupper() and len(word) <= 4):
        return word[0].upper() in LETTERS_AN
    if SPOKEN_VOWEL.match(word):
        return True
    return word[:1].lower() in tuple("aeiouáàâäéèêëíîïóôöúûü") and not SPOKEN_CONSONANT.match(word)


def _number_begins_with_vowel(word: str) -> bool:
    digits = re.match(r"\d+", word)
    number = digits[0] if digits else ""
    # Eight…, and eleven or eighteen at the front of thousands.
    return number.startswith("8") or (number[:2] in ("11", "18") and len(number) % 3 == 2)


def pluralize(noun: str) -> str:
    """The plural of the last word; words that have none, or are plural already, stay."""
    head, last = re.fullmatch(r"(.*?)([^\W\d_]*)", noun.rstrip(), re.DOTALL).groups()  # type: ignore[union-attr]
    lower = last.lower()
    if not lower or lower in UNCOUNTABLE or lower in PAIRS:
        return noun.rstrip()
    if lower in IRREGULAR:
        made = IRREGULAR[lower]
        return head + (last[0] + made[1:])
    if lower in IRREGULAR.values() or _is_plural(lower):
        return noun.rstrip()
    if re.search(r"(?:s|x|z|ch|sh)$", lower):
        return f"{head}{last}es"
    if re.search(r"[^aeiou]y$", lower):
        return f"{head}{last[:-1]}ies"
    return f"{head}{last}s"


def _is_plural(word: str) -> bool:
    """Shoes, dresses, videos; not dress, bus or canvas."""
    if word in PLURAL_IN_S:
        return True
    return len(word) > 3 and not re.search(r"(?:[^s]|ss|us|is)$", word) and word not in SINGULAR_IN_S
