"""Sentences of the editor's script, translated here, and the pieces an author can insert."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.coupons.selectors import pools
from campaigns.editor.visual import visual_texts
from campaigns.items.counts import rule_names
from campaigns.planning.outlook import asks_for_share
from experiments.models import Metric
from personalization.content.phrase_selectors import phrase_sets
from personalization.content.selectors import blocks
from personalization.customers.models import Channel

LOOP = """{% for item in items %}
    <mj-section>
      <mj-column>
        <mj-image src="{{ item.image_url }}" alt="{{ item.name }}" href="{{ item.url }}" />
        <mj-text>{{ item.reason }}<br />
          <a href="{{ item.url }}">{{ item.name }}</a>
          {{ item.price | money: item.currency }}</mj-text>
      </mj-column>
    </mj-section>
    {% endfor %}"""
RECOMMEND = """{% recommend "for_you" count: 4, exclude: "bought", category: "Shoes" as picks %}
    {% for item in picks %}
    <mj-section>
      <mj-column>
        <mj-text><a href="{{ item.url }}">{{ item.name }}</a>
          {{ item.price | money: item.currency }}</mj-text>
      </mj-column>
    </mj-section>
    {% endfor %}"""
LAST_ORDERS = """{% last_orders count: 3 as orders %}
    {% for order in orders %}{{ order.at | date }}: {{ order.items | map: "name" | join: ", " }}
    {% endfor %}"""
LANGUAGE = """{% localized %}English{% language "zh" %}中文{% endlocalized %}"""
VARY = """{% vary "tone" %}See what is new{% or %}These are for you{% endvary %}"""
OPTIONAL = """{% optional %}Dear {{ customer.first_name }}{% else %}Hello{% endoptional %}"""
UNSUBSCRIBE = """<mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px"><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
      </mj-column>
    </mj-section>"""


def snippets() -> list[dict[str, str]]:
    """`label` for the button, `text` for the message."""
    return [
        {"label": _("First name"), "text": '{{ customer.first_name | default: "friend" }}'},
        {"label": _("City"), "text": "{{ customer.city }}"},
        {"label": _("Recommended items"), "text": LOOP},
        {"label": _("More recommended items"), "text": RECOMMEND},
        {"label": _("Last orders"), "text": LAST_ORDERS},
        {"label": _("By language"), "text": LANGUAGE},
        {"label": _("Try versions"), "text": VARY},
        *({"label": pool.name, "text": _coupon(pool.name)} for pool in pools()[:10]),
        {"label": _("If nothing is missing"), "text": OPTIONAL},
        {"label": _("Date"), "text": "{{ now | date }}"},
        {"label": _("Unsubscribe link"), "text": UNSUBSCRIBE},
        *({"label": block.name, "text": f'{{% block "{block.name}" %}}'} for block in blocks()[:30]),
        *({"label": one.name, "text": f'{{% generate "{one.name}" %}}'} for one in phrase_sets()[:30]),
    ]


def _coupon(pool: str) -> str:
    return f'{{% coupon "{pool}" as code %}}{{{{ code }}}}'


def channel_forms() -> dict[str, dict[str, Any]]:
    """What the editor asks for on each channel."""
    return {
        name: {
            "label": str(Channel(name).label),
            "body": str(channel.body_label),
            "help": str(channel.body_help),
            "sender": channel.needs_sender_address,
            "testHelp": str(channel.test_help),
            "named": [field.name for field in channel.fields],
            "fields": [
                {"name": f.name, "label": str(f.label), "help": str(f.help), "max": f.max_length,
                 "required": f.is_required, "default": f.default}
                for f in channel.fields if f.name not in ("subject", "preheader")
            ],
        }
        for name in channels.names() for channel in [channels.get(name)]
    }  # fmt: skip


def metric_choices() -> list[tuple[str, str]]:
    return [
        (key, _(name)) for key, name in Metric.objects.filter(archived_at=None).values_list("key", "name")
    ]


def shares() -> list[str]:
    """Keys of the metrics that are shares of customers: their margins are said in percentage points."""
    return [metric.key for metric in Metric.objects.filter(archived_at=None) if asks_for_share(metric)]


def editor_texts() -> dict[str, Any]:
    return {
        "variant": _("Variant %(letter)s"),
        "saved": _("Saved"),
        "unsaved": _("Not saved yet"),
        "saving": _("Saving…"),
        "failed": _("That did not work. Check your connection and try again."),
        "launchQuestion": _("Send now to about %(n)s customers? This cannot be taken back."),
        "launchQuestionUnknown": _("Send now? This cannot be taken back."),
        "removeQuestion": _("Remove this variant?"),
        "everybody": _("For everybody"),
        "tongueWrong": _("Write a language like zh or pt-br."),
        "tongueTaken": _("This language has a text already."),
        "removeTongue": _("Remove the text in %(language)s?"),
        "replaceQuestion": _("Replace what is written here with this starter?"),
        "launchTestQuestion": _("Send now to a test of %(n)s customers? The rest gets the winner."),
        "points": _("percentage points"),
        "perCustomer": _("per customer"),
        "plannedLocal": _("%(day)s, by each customer's own clock"),
        "looksAt": _("Looked at after %(days)s days."),
        "leave": _("There are changes that are not saved."),
        "testSent": _("Sent to %(address)s."),
        "drop": _("Remove %(name)s"),
        "rules": rule_names(),
        "line": _("line %(line)s"),
        "subject": _("Subject"),
        "title": _("Title"),
        "preheader": _("Preview text"),
        "body": _("Message"),
        "selected": _("Words of the message (those that are selected)"),
        "putIn": _("Put in. Save the campaign to keep it."),
        **visual_texts(),
    }  # fmt: skip
