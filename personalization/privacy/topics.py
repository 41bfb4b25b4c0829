"""Topics in the words and the language of the people who are asked about them."""

from django.utils.translation import gettext

from personalization.privacy.models import Topic

USUAL = "marketing"


def page_language(language: str) -> str:
    """The language of our own sentences for a customer: Chinese of any kind, else English."""
    return "zh-hans" if language.lower().startswith("zh") else "en"


def topic_name(key: str) -> str:
    """In the language of now; a topic nobody described is called by its key, the usual one by its words."""
    topic = Topic.objects.filter(key=key).first()
    return topic.text("name") if topic else usual_name(key)


def usual_name(key: str) -> str:
    """Of a topic that nobody described."""
    return gettext("Offers and news") if key == USUAL else key
