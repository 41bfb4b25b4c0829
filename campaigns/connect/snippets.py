"""The snippets of the Connect page. Each is a template; a test runs each with its real client."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from personalization.access.models import Scope

API_KEY, CLIENT_KEY = "bsp_YOUR_KEY", "sdk-YOUR_KEY"
# What the key made on the page may do: all that the snippets do.
SCOPES = (Scope.INGEST, Scope.CUSTOMERS_READ, Scope.DECIDE)


@dataclass(frozen=True)
class Snippet:
    """`install`: the command before it, or empty. `names`: what a shop may not have yet."""

    name: str
    title: str | Promise
    what: str | Promise
    file: str
    install: str = ""
    names: str = ""

    def render(self, values: Mapping[str, str]) -> str:
        return get_template(f"connect/snippets/{self.file}").render(dict(values)).strip() + "\n"


SNIPPETS = [
    Snippet(
        "page", _("On a web page"),
        _("Fills slots of a page with what each visitor should see, and counts what was seen and clicked."),
        "page.html", names="placement",
    ),
    Snippet(
        "curl", "curl", _("Sends an event, reads the customer, asks what to show."), "curl.sh",
        names="placement",
    ),
    Snippet(
        "segment", "Segment (Python)",
        _("Segment’s libraries work unchanged: this address as host, an API key as write key."),
        "segment.py.txt", "pip install segment-analytics-python",
    ),
    Snippet(
        "growthbook", "GrowthBook (Python)",
        _("Variants of served experiments by GrowthBook’s own SDKs; seeing one is told as an event."),
        "growthbook.py.txt", "pip install growthbook segment-analytics-python",
        names="experiment",
    ),
    Snippet(
        "openfeature", "OpenFeature (Python)",
        _("The same by OpenFeature Remote Evaluation: here we decide, with all segments and holdouts."),
        "openfeature.py.txt", "pip install openfeature-sdk openfeature-provider-ofrep",
        names="experiment",
    ),
    Snippet(
        "webhook", _("Receive webhooks (Python)"),
        _(
            "Takes only what we signed. The page Webhooks makes one, and shows its secret once: put it into "
            "WEBHOOK_SECRET. To try it on one machine, start this server with "
            "OUTBOUND_ALLOWED_HOSTS=127.0.0.1 and name http://127.0.0.1:8080/ as the address."
        ),
        "webhook.py.txt", "pip install standardwebhooks",
    ),
]  # fmt: skip
