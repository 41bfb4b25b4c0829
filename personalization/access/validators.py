"""Checks of columns that several rooms need."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from personalization.access.outbound import ForbiddenAddress, check_url


def called_by_us(url: str) -> None:
    try:
        check_url(url)
    except ForbiddenAddress as error:
        text = _("This address is not called: %(why)s") % {"why": error.said}
        raise ValidationError(text) from error
    if "#" in url:
        raise ValidationError(_("An address that is called has no “#”."))
