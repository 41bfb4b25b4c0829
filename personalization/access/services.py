"""Writes of the access room: API keys and the audit log."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from personalization.access.models import TEST_MARK, ApiKey, AuditEntry, User

KEY_MARK = "bsp"
LAST_USED_STEP = timedelta(minutes=1)

# What each role may do, besides looking at everything: (app, model) pairs and single permissions.
SEE_PEOPLE = "view_personal_data"
SEE_SENSITIVE = "view_sensitive_traits"
ADMINISTRATOR = "Administrator"  # everything, staff, keys and the audit log too
_AUTHOR: tuple[str, ...] = (
    *("add_segment", "change_segment", "add_segmentversion", "add_campaign", "change_campaign"),
    *("add_message", "change_message", "delete_message"),
    *("add_contentblock", "change_contentblock"),
    *("add_phraseset", "change_phraseset", "add_suggestion"),
)
ROLES: dict[str, tuple[str, ...]] = {
    "Viewer": (),
    # Everything about figures and models, nobody's name.
    "Analyst": (
        *("add_segment", "change_segment", "add_segmentversion", "add_modelrun", "change_modelrun"),
        *("add_metric", "change_metric", "add_reportlink", "change_reportlink"),
    ),
    "Author": (SEE_PEOPLE, *_AUTHOR),
    "Approver": (SEE_PEOPLE, "launch_campaign", "approve_campaign", "approve_suggestion"),
    "Campaign manager": (
        SEE_PEOPLE,
        *("add_segment", "change_segment", "add_segmentversion", "add_modelrun", "change_modelrun"),
        *("add_campaign", "change_campaign", "delete_campaign", "launch_campaign", "approve_campaign"),
        *("add_message", "change_message", "delete_message"),
        *("add_contentblock", "change_contentblock", "delete_contentblock"),
        *("add_contentsource", "change_contentsource", "delete_contentsource"),
        *("add_couponpool", "change_couponpool", "delete_couponpool"),
        *("add_phraseset", "change_phraseset", "delete_phraseset"),
        *("add_suggestion", "approve_suggestion", "add_brandvoice", "change_brandvoice"),
        *("add_journey", "change_journey"),
        *("add_placement", "change_placement", "add_offer", "change_offer"),
        *("add_reportlink", "change_reportlink"),
        *("add_frequencycap", "change_frequencycap", "delete_frequencycap"),
        *("add_quiethours", "change_quiethours", "delete_quiethours"),
        *("add_topicrule", "change_topicrule", "delete_topicrule"),
        *("add_layer", "change_layer", "add_holdout", "change_holdout"),
    ),
    "Data manager": (
        *(SEE_PEOPLE, SEE_SENSITIVE, "add_privacyrequest", "add_topic", "change_topic", "delete_topic"),
        "change_retentionrule",
        *("add_traitdeclaration", "change_traitdeclaration", "delete_traitdeclaration"),
        *("change_identityrule", "add_traitdefinition", "change_traitdefinition", "delete_traitdefinition"),
        *("add_customer", "change_customer", "delete_customer", "add_consent"),
        *("add_suppression", "delete_suppression", "add_item", "change_item", "delete_item"),
        *("add_import", "change_import", "add_source", "change_source", "delete_source"),
    ),
}


def hash_secret(token: str) -> bytes:
    """SHA-256 of the whole token: 256 random bits need no slow hash, and every request pays for it."""
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Iterable[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
    is_test: bool = False,
) -> tuple[ApiKey, str]:
    """A new key and its token `bsp_<prefix>_<secret>`; the token is never shown again. A test key's prefix
    begins with `test_`."""
    prefix, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
    prefix = TEST_MARK + prefix if is_test else prefix
    token = f"{KEY_MARK}_{prefix}_{secret}"
    key = ApiKey.objects.create(
        name=name, prefix=prefix, secret_hash=hash_secret(token), scopes=sorted(set(scopes)),
        created_by=created_by, expires_at=expires_at,
    )  # fmt: skip
    audit(actor=str(created_by or "system"), action="key.created", target=f"key:{prefix}", scopes=key.scopes)
    return key, token


@transaction.atomic
def revoke_key(key: ApiKey, *, actor: str) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    audit(actor=actor, action="key.revoked", target=f"key:{key.prefix}")


def touch_key(key: ApiKey, *, now: datetime) -> None:
    """Notes the use of a key, at most once a minute: a busy key must not become a hot row."""
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def audit(actor: str, action: str, target: str, **detail: object) -> None:
    """Writes down who did what to what. `detail` carries ids and settings, never personal data."""
    AuditEntry.objects.create(actor=actor[:200], action=action, target=target[:200], detail=detail)


def actor_name(request: HttpRequest) -> str:
    """`user:<name>` for staff, `key:<prefix>` for programs, as it stands in the audit log."""
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        return f"key:{key.prefix}"
    return f"user:{request.user.get_username()}" if request.user.is_authenticated else "anonymous"


def is_test_call(request: HttpRequest) -> bool:
    """Whether a program calls with a test key."""
    key = getattr(request, "auth", None)
    return isinstance(key, ApiKey) and key.is_test


def ensure_roles() -> None:
    """Creates or updates the groups of ROLES; everyone in one of them may look at everything."""
    ours = Q(
        content_type__app_label__in=[
            "customers", "privacy", "catalog", "events", "sources", "traits", "segments", "experiments",
            "content", "recommender", "campaigns", "onsite", "language_model",
        ]
    )  # fmt: skip
    # Names, addresses, sensitive traits and where questions go are not among what everybody sees.
    view = Permission.objects.filter(ours, codename__startswith="view_").exclude(
        codename__in=[SEE_PEOPLE, SEE_SENSITIVE, "view_endpoint"]
    )
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([*view, *Permission.objects.filter(ours, codename__in=codenames)])
    administrators, _ = Group.objects.get_or_create(name=ADMINISTRATOR)
    administrators.permissions.set(Permission.objects.all())
