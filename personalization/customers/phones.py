"""Phone numbers in one spelling. Pure: no database."""

import re

import phonenumbers

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")


def normalize_phone(text: str, *, country: str = "") -> str:
    """E.164, such as +442079460018; as it came where it is no valid number. Source: ITU-T E.164.

    `country` (ISO 3166) tells whose number it is when it has no country code of its own.
    """
    if _INTERNATIONAL.fullmatch(text):
        return text  # a million rows of a file need no parser for what is right already
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
