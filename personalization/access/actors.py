"""Who did something, as people call them, from what the records say (`user:kim9`, `key:bsp_4f2a`)."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from personalization.access.models import ApiKey, User


def actor_labels(actors: Iterable[str]) -> dict[str, str]:
    """By actor: the name of the person or of the key; who is gone keeps the name in the record."""
    labels = {actor: actor.partition(":")[2] or actor for actor in actors}
    users = {actor.partition(":")[2] for actor in labels if actor.startswith("user:")}
    for user in User.objects.filter(username__in=users) if users else ():
        labels[f"user:{user.username}"] = user.get_full_name() or user.username
    keys = {actor.partition(":")[2] for actor in labels if actor.startswith("key:")}
    for key in ApiKey.objects.filter(prefix__in=keys) if keys else ():
        labels[f"key:{key.prefix}"] = _("API key “%s”") % key.name
    return labels
