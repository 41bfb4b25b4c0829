"""The admin shell's menu."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def _entry(
    title: object, icon: str, url: str, permission: str, *, besides: str | None = None
) -> dict[str, object]:
    """`besides`: an entry of its own whose pages stand below this one's address, and are not this one's."""
    entry: dict[str, object] = {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(url),
        "permission": lambda request: request.user.has_perm(permission),
    }
    if besides is not None:
        entry["active"] = lambda request: (
            request.path.startswith(reverse(url)) and not request.path.startswith(reverse(besides))
        )
    return entry


def environment(request: HttpRequest) -> list[object] | None:
    """The mark at the top of every page of an installation that sends nothing."""
    return [_("Sandbox: nothing is sent"), "warning"] if settings.SANDBOX else None


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Bespoke",
    "SITE_HEADER": "Bespoke",
    "SITE_SUBHEADER": _("Personal marketing that proves what it earns"),
    "SITE_SYMBOL": "auto_awesome",
    "SITE_URL": None,  # the root leads back to the first page: no link to it
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "campaigns.home.page.dashboard",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/bespoke/favicon.svg"}],
    "ENVIRONMENT": "personalization.config.navigation.environment",
    "STYLES": [f"/static/bespoke/{sheet}.css" for sheet in ("shell", "forms", "tables")],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Security"), "link": reverse_lazy("account:home")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {"title": _("Home"), "icon": "home", "link": reverse_lazy("admin:index")},
                ],
            },
            {
                "title": _("Audience"),
                "items": [
                    _entry(
                        _("Customers"),
                        "group",
                        "admin:customers_customer_changelist",
                        "customers.view_customer",
                    ),
                    _entry(
                        _("Segments"),
                        "filter_alt",
                        "admin:segments_segment_changelist",
                        "segments.view_segment",
                    ),
                    _entry(_("Found segments"), "hub", "segments:discoveries", "segments.view_segment"),
                    _entry(_("Traits"), "sell", "traits:catalog", "customers.view_traitdeclaration"),
                    _entry(
                        _("Computed traits"),
                        "functions",
                        "admin:traits_traitdefinition_changelist",
                        "traits.view_traitdefinition",
                    ),
                    _entry(_("Free texts"), "reviews", "traits:texts", "traits.view_traitdefinition"),
                    _entry(
                        _("Identity rules"),
                        "join_inner",
                        "admin:customers_identityrule_changelist",
                        "customers.view_identityrule",
                    ),
                    _entry(_("Catalog"), "inventory_2", "admin:catalog_item_changelist", "catalog.view_item"),
                    _entry(_("Pictures"), "imagesmode", "catalog:pictures", "catalog.view_item"),
                    _entry(_("Import"), "upload_file", "sources:imports", "sources.view_import"),
                    _entry(_("Sources"), "sync", "admin:sources_source_changelist", "sources.view_source"),
                ],
            },
            {
                "title": _("Messaging"),
                "items": [
                    _entry(
                        _("Campaigns"),
                        "campaign",
                        "campaigns:list",
                        "campaigns.view_campaign",
                        besides="campaigns:accounts",
                    ),
                    _entry(
                        _("Content blocks"),
                        "dashboard_customize",
                        "content:blocks",
                        "content.view_contentblock",
                    ),
                    _entry(
                        _("Coupons"),
                        "confirmation_number",
                        "coupons:list",
                        "campaigns.view_couponpool",
                    ),
                    _entry(
                        _("Connected content"),
                        "cloud_sync",
                        "admin:campaigns_contentsource_changelist",
                        "campaigns.view_contentsource",
                    ),
                    _entry(_("Phrase sets"), "forum", "content:phrase-sets", "content.view_phraseset"),
                    _entry(_("Suggested texts"), "ink_pen", "suggestions:list", "campaigns.view_suggestion"),
                    _entry(
                        _("Brand voice"),
                        "record_voice_over",
                        "admin:language_model_brandvoice_changelist",
                        "language_model.change_brandvoice",
                    ),
                    _entry(_("On the page"), "web", "onsite:list", "onsite.view_placement"),
                    _entry(
                        _("Senders"), "outgoing_mail", "campaigns:accounts", "campaigns.view_senderaccount"
                    ),
                    _entry(_("Webhooks"), "webhook", "webhooks:list", "campaigns.view_webhookendpoint"),
                    _entry(
                        _("Journeys"),
                        "route",
                        "journeys:list",
                        "campaigns.view_journey",
                    ),
                    _entry(
                        _("Frequency caps"),
                        "speed",
                        "admin:campaigns_frequencycap_changelist",
                        "campaigns.view_frequencycap",
                    ),
                    _entry(
                        _("Quiet hours"),
                        "bedtime",
                        "admin:campaigns_quiethours_changelist",
                        "campaigns.view_quiethours",
                    ),
                    _entry(
                        _("Rules for topics"),
                        "rule",
                        "admin:campaigns_topicrule_changelist",
                        "campaigns.view_topicrule",
                    ),
                    _entry(
                        _("Rules for approval"),
                        "approval_delegation",
                        "admin:campaigns_approvalrule_changelist",
                        "campaigns.view_approvalrule",
                    ),
                    _entry(
                        _("Metrics"),
                        "monitoring",
                        "admin:experiments_metric_changelist",
                        "experiments.view_metric",
                    ),
                    _entry(
                        _("Recommenders"),
                        "recommend",
                        "recommender:list",
                        "recommender.view_modelrun",
                    ),
                ],
            },
            {
                "title": _("Experiments"),
                "items": [
                    _entry(
                        _("Experiments"),
                        "science",
                        "admin:experiments_experiment_changelist",
                        "experiments.view_experiment",
                    ),
                    _entry(
                        pgettext_lazy("experiments", "Layers"),
                        "layers",
                        "admin:experiments_layer_changelist",
                        "experiments.view_layer",
                    ),
                    _entry(
                        _("Holdouts"),
                        "front_hand",
                        "admin:experiments_holdout_changelist",
                        "experiments.view_holdout",
                    ),
                    _entry(
                        _("Client keys"),
                        "vpn_key",
                        "admin:experiments_clientkey_changelist",
                        "experiments.view_clientkey",
                    ),
                ],
            },
            {
                "title": _("Administration"),
                "items": [
                    _entry(_("Staff"), "badge", "admin:access_user_changelist", "access.view_user"),
                    _entry(_("Connect"), "cable", "connect:connect", "campaigns.view_campaign"),
                    _entry(_("Roles"), "groups", "admin:auth_group_changelist", "auth.view_group"),
                    _entry(_("API keys"), "key", "admin:access_apikey_changelist", "access.view_apikey"),
                    _entry(
                        _("Language model"),
                        "psychology",
                        "admin:language_model_endpoint_changelist",
                        "language_model.change_endpoint",
                    ),
                    _entry(
                        _("Calls of the language model"),
                        "receipt_long",
                        "admin:language_model_call_changelist",
                        "language_model.view_call",
                    ),
                    _entry(
                        _("Privacy requests"),
                        "shield_person",
                        "privacy:requests",
                        "privacy.view_privacyrequest",
                    ),
                    _entry(
                        _("Retention"),
                        "auto_delete",
                        "privacy:retention",
                        "privacy.view_retentionrule",
                    ),
                    _entry(
                        _("Topics"),
                        "label",
                        "admin:privacy_topic_changelist",
                        "privacy.view_topic",
                    ),
                    _entry(
                        _("Reads of personal data"),
                        "visibility",
                        "admin:access_personalread_changelist",
                        "access.view_personalread",
                    ),
                    _entry(
                        _("Audit log"),
                        "history",
                        "admin:access_auditentry_changelist",
                        "access.view_auditentry",
                    ),
                ],
            },
        ],
    },
}
