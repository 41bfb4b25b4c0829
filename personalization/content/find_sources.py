"""Blocks and phrases among what is found from every page."""

from django.utils.translation import gettext_lazy as _

from personalization.access.finding import NamedRows
from personalization.content.models import ContentBlock, PhraseSet


class Blocks(NamedRows):
    label = _("Content blocks")
    icon = "dashboard_customize"
    permission = "content.view_contentblock"
    model = ContentBlock
    url = "content:block"
    url_field = "name"


class PhraseSets(NamedRows):
    label = _("Phrase sets")
    icon = "forum"
    permission = "content.view_phraseset"
    model = PhraseSet
    url = "content:phrase-set"
    url_field = "name"
