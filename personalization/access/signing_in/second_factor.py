"""Codes of an authenticator app, and the recovery codes for the day the phone is lost.

Source: RFC 6238 (time steps of 30 s, SHA-1, 6 digits, as every app reads them), RFC 4226 section 7.3.
"""

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlparse

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from personalization.access.models import RecoveryCode, RoleRule, SecondFactor, User
from personalization.access.services import audit, hash_secret

STEP_SECONDS = 30
# One step to each side: clocks of phones are not exact.
WINDOW = 1
RECOVERY_CODES = 10
WRONG_CODES = 5
PAUSE = timedelta(minutes=5)
WRONG_CODE = _("That code is not right, or was used before. Wait for the next one and try again.")
TOO_MANY = _("Too many wrong codes. Try again in five minutes.")


class TooManyCodesError(Exception):
    """Five wrong codes in a row: for five minutes none is looked at."""


def has_second_factor(user: User) -> bool:
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def is_required(user: User) -> bool:
    """Whether one of the user's roles asks for a second factor."""
    return RoleRule.objects.filter(group__user=user, second_factor_required=True).exists()


def prepare(user: User) -> SecondFactor:
    """The secret to be scanned: a new one, or the one that still waits for its first code."""
    factor, _made = SecondFactor.objects.get_or_create(
        user=user, defaults={"secret": pyotp.random_base32(32)}
    )
    return factor


def scan_address(factor: SecondFactor) -> str:
    """The otpauth:// address that apps read from the QR code."""
    host = urlparse(settings.SITE_URL).hostname or "Bespoke"
    name = factor.user.get_username()
    return pyotp.TOTP(factor.secret).provisioning_uri(name=name, issuer_name=f"Bespoke {host}")


def draw_code(factor: SecondFactor) -> str:
    """The QR code as a data: address of an SVG picture, black on white in every theme."""
    return segno.make(scan_address(factor), error="m").svg_data_uri(scale=5, border=4, light="#fff")


@transaction.atomic
def confirm(user: User, code: str) -> list[str] | None:
    """Switches the factor on; the recovery codes, to be shown once. None when the code is wrong."""
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if factor is None or not _take_code(factor, code):
        return None
    factor.confirmed_at = timezone.now()
    factor.save(update_fields=["confirmed_at"])
    audit(actor=f"user:{user.get_username()}", action="second_factor.on", target=f"user:{user.pk}")
    return make_recovery_codes(user)


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """Ten new codes; the ones before no longer open."""
    codes = [_draw_recovery_code() for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_hash_code(user, code)) for code in codes
    )
    audit(actor=f"user:{user.get_username()}", action="recovery_codes.made", target=f"user:{user.pk}")
    return codes


def check(user: User, code: str) -> bool:
    """Whether the code of the app, or an unused recovery code, is right; each opens once.

    Raises TooManyCodesError after WRONG_CODES in a row.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(user=user, confirmed_at__isnull=False)
        if factor.wrong_codes >= WRONG_CODES and _still(factor.wrong_at):
            raise TooManyCodesError
        return _take_code(factor, code) or _take_recovery_code(factor, code)


@transaction.atomic
def switch_off(user: User, *, actor: str) -> None:
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    audit(actor=actor, action="second_factor.off", target=f"user:{user.pk}")


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def _still(wrong_at: datetime | None) -> bool:
    return wrong_at is not None and timezone.now() - wrong_at < PAUSE


def _take_code(factor: SecondFactor, code: str) -> bool:
    """Notes the step of a right code, or one more wrong code. The caller holds the row."""
    digits = "".join(code.split())
    now = timezone.now()
    step = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(factor.secret)
    if digits.isascii() and digits.isdecimal():
        for offset in range(-WINDOW, WINDOW + 1):
            is_new = step + offset > factor.last_step
            if is_new and secrets.compare_digest(totp.generate_otp(step + offset), digits):
                factor.last_step, factor.wrong_codes = step + offset, 0
                factor.save(update_fields=["last_step", "wrong_codes"])
                return True
    factor.wrong_codes = factor.wrong_codes + 1 if _still(factor.wrong_at) else 1
    factor.wrong_at = now
    factor.save(update_fields=["wrong_codes", "wrong_at"])
    return False


def _take_recovery_code(factor: SecondFactor, code: str) -> bool:
    taken = RecoveryCode.objects.filter(
        user=factor.user, code_hash=_hash_code(factor.user, code), used_at=None
    ).update(used_at=timezone.now())
    if taken:
        factor.wrong_codes = 0
        factor.save(update_fields=["wrong_codes"])
        name = factor.user.get_username()
        audit(actor=f"user:{name}", action="recovery_code.used", target=f"user:{factor.user_id}")
    return bool(taken)


def _hash_code(user: User, code: str) -> bytes:
    plain = "".join(code.split()).replace("-", "").lower()
    return hash_secret(f"recovery:{user.pk}:{plain}")


def _draw_recovery_code() -> str:
    code = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
