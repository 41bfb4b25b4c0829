"""E-mails to begin with, in English and Chinese by the customer's language; bodies in templates/email."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Starter:
    key: str
    name: str
    subject: str
    preheader: str
    body: str


def starters() -> list[Starter]:
    """The first one is what a new campaign opens with."""
    return [
        Starter(
            "picks",
            _("Personal picks"),
            '{% if customer.language == "zh" %}{{ customer.first_name }}，为您挑选的好物'
            '{% else %}Picked for you, {{ customer.first_name | default: "friend" }}{% endif %}',
            '{% if customer.language == "zh" %}'
            "{% if items.first %}{{ items.first.name }}，还有更多{% else %}还有更多好物等着您{% endif %}"
            "{% else %}{% if items.first %}{{ items.first.name }}, and more that suits you"
            "{% else %}And more that suits you{% endif %}{% endif %}",
            _body("picks"),
        ),
        Starter(
            "news",
            _("News"),
            '{% if customer.language == "zh" %}店里的新消息{% else %}News from the shop{% endif %}',
            "",
            _body("news"),
        ),
    ]


def _body(name: str) -> str:
    # Only found here, never rendered by Django: the text is Liquid.
    return (Path(settings.BASE_DIR) / "templates" / "email" / f"{name}.mjml").read_text(encoding="utf-8")
