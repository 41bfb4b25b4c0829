from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "personalization.privacy"
    verbose_name = _("Privacy")
    personal_stores = (
        "personalization.privacy.kept_exports.PersonFiles",
        "personalization.privacy.kept_answers.KeptAnswers",
        "personalization.privacy.kept_searches.KeptSearches",
    )
