"""What a source must be before it is kept."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from personalization.access.outbound import ForbiddenAddress, check_url
from personalization.sources.databases import check_address
from personalization.sources.errors import InvalidOptions
from personalization.sources.fetching import suffix_of
from personalization.sources.kinds import columns_of, importer_for
from personalization.sources.models import Way


def check_source(told: Mapping[str, Any]) -> None:
    """Raises InvalidOptions or UnreadableFile; nothing is called and nothing is read."""
    options = told.get("options") or {}
    if not isinstance(options, dict):
        raise InvalidOptions(_("The options are a JSON object."))
    importer_for(told["kind"], options)
    columns_of(options)
    if not told.get("address"):
        raise InvalidOptions(_("An address is needed."))
    if told["way"] == Way.SQL:
        check_address(told["address"])
        if not (told.get("query") or "").lower().lstrip().startswith(("select", "with")):
            raise InvalidOptions(_("The query must be one SELECT."))
        return
    suffix_of(told["address"])
    try:
        check_url(told["address"])
    except ForbiddenAddress as error:
        raise InvalidOptions(_("This address is not called: %(why)s.") % {"why": error.said}) from None
