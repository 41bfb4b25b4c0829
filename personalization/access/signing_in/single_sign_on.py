"""Single sign-on by OpenID Connect: discovery, code with PKCE, state and nonce, a signed ID token.

Off without OIDC_ISSUER. The provider says who it is (`sub`) and, in the claim OIDC_ROLE_CLAIM, to which
groups the person belongs; OIDC_ROLES turns groups into roles at each sign-in. Nobody is recognised by an
e-mail address: an account that exists is connected by its owner, logged in.
Source: OpenID Connect Core 1.0, section 3.1.3.7 for the checks of the ID token; RFC 7636; RFC 8176 for `amr`.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.access.models import ExternalIdentity, StaffSession, User
from personalization.access.services import audit
from personalization.access.signing_in.sessions import end_sessions

PATIENCE_SECONDS = 10
LEEWAY_SECONDS = 60
# Signatures that only the provider can make: never `none`, never with a secret that we know too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# `amr` values that tell of a second factor.
STRONG = frozenset({"mfa", "otp", "hwk", "swk", "sc", "sms", "pop", "fpt", "face", "iris"})
log = structlog.get_logger(__name__)


class SignInRefusedError(Exception):
    """Why nobody was logged in, in words for the person who tried."""


def is_on() -> bool:
    return bool(settings.OIDC_ISSUER)


def send_away(request: HttpRequest, *, callback: str) -> HttpResponse:
    """The redirect to the provider; state, nonce and PKCE verifier wait in the session."""
    from requests import RequestException

    try:
        answer: HttpResponse = _client().authorize_redirect(request, callback)
    except (RequestException, RuntimeError, ValueError) as error:
        raise _unreachable(error) from error
    return answer


def take_back(request: HttpRequest) -> dict[str, Any]:
    """The claims of the ID token with which the provider sent the person back. Raises SignInRefusedError."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    if request.GET.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER:
        raise _untrusted("iss of the answer")
    try:
        token = _client().authorize_access_token(
            request,
            leeway=LEEWAY_SECONDS,
            claims_options={
                "iss": {"essential": True, "value": settings.OIDC_ISSUER},
                "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
                "sub": {"essential": True},
                "nonce": {"essential": True},
            },
        )
    except RequestException as error:
        raise _unreachable(error) from error
    except AuthlibBaseError as error:
        if error.error in ("access_denied", "login_required"):
            raise SignInRefusedError(_("The identity provider did not let you in.")) from error
        raise _untrusted(error.error or type(error).__name__) from error
    except (JoseError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _untrusted(type(error).__name__) from error
    claims = token.get("userinfo")
    if not claims:
        raise _untrusted("no ID token")
    return dict(claims)


@transaction.atomic
def find_member(claims: Mapping[str, Any]) -> User:
    """Who this is here, with the roles that the provider's groups give now; a newcomer with a role is made.

    Raises SignInRefusedError for a newcomer without a role, or with a name that somebody here has already.
    """
    identity = ExternalIdentity.objects.filter(
        issuer=settings.OIDC_ISSUER, subject=str(claims["sub"])
    ).select_related("user").first()  # fmt: skip
    roles = roles_of(claims)
    if identity is None:
        user = _make_member(claims, roles)
        ExternalIdentity.objects.create(
            user=user, issuer=settings.OIDC_ISSUER, subject=str(claims["sub"]), last_used_at=timezone.now()
        )
    else:
        user = identity.user
        if not user.is_active:
            raise SignInRefusedError(_("This account is switched off. Ask an administrator."))
        ExternalIdentity.objects.filter(pk=identity.pk).update(last_used_at=timezone.now())
    _give_roles(user, roles)
    return user


def ensure_allowed(user: User) -> None:
    """Refuses who has no role left, and logs them out elsewhere. What `find_member` wrote must last."""
    if user.is_superuser or user.groups.exists() or user.user_permissions.exists():
        return
    end_sessions(StaffSession.objects.filter(user=user), actor="system")
    raise SignInRefusedError(_("None of your groups has a role here. Ask an administrator for access."))


@transaction.atomic
def connect(user: User, claims: Mapping[str, Any]) -> None:
    """Lets the owner of an account come by single sign-on from now on. Raises SignInRefusedError."""
    identity, made = ExternalIdentity.objects.get_or_create(
        issuer=settings.OIDC_ISSUER, subject=str(claims["sub"]), defaults={"user": user}
    )
    if identity.user_id != user.pk:
        raise SignInRefusedError(_("That identity belongs to another account here."))
    if made:
        audit(
            actor=f"user:{user.get_username()}", action="single_sign_on.connected", target=f"user:{user.pk}"
        )


def disconnect(user: User) -> None:
    if ExternalIdentity.objects.filter(user=user).delete()[0]:
        name = user.get_username()
        audit(actor=f"user:{name}", action="single_sign_on.disconnected", target=f"user:{user.pk}")


def roles_of(claims: Mapping[str, Any]) -> set[str]:
    said = claims.get(settings.OIDC_ROLE_CLAIM, [])
    groups = {said} if isinstance(said, str) else {group for group in said if isinstance(group, str)}
    return {role for group, role in settings.OIDC_ROLES.items() if group in groups}


def is_strong(claims: Mapping[str, Any]) -> bool:
    methods = claims.get("amr")
    return isinstance(methods, list) and bool(STRONG & {m for m in methods if isinstance(m, str)})


def _make_member(claims: Mapping[str, Any], roles: set[str]) -> User:
    if not roles:
        raise SignInRefusedError(_("None of your groups has a role here. Ask an administrator for access."))
    name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])[:150]
    if User.objects.filter(username__iexact=name).exists():
        raise SignInRefusedError(
            _("An account of that name exists. Log in with its password and connect it under Security.")
        )
    user = User(
        username=name,
        is_staff=True,
        email=str(claims.get("email") or "")[:254],
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )
    user.set_unusable_password()
    user.save()
    audit(actor="single sign-on", action="staff.created", target=f"user:{user.pk}", roles=sorted(roles))
    return user


def _give_roles(user: User, roles: set[str]) -> None:
    """Exactly these of the roles that OIDC_ROLES names; roles given by hand here stay."""
    named = Group.objects.filter(name__in=set(settings.OIDC_ROLES.values()))
    missing = set(settings.OIDC_ROLES.values()) - {group.name for group in named}
    if missing:
        log.error("single_sign_on.unknown_role", roles=sorted(missing))
    before = set(user.groups.filter(pk__in=named))
    after = {group for group in named if group.name in roles}
    if before == after:
        return
    given, taken = after - before, before - after
    user.groups.remove(*taken)
    user.groups.add(*given)
    audit(
        actor="single sign-on", action="staff.roles", target=f"user:{user.pk}",
        given=sorted(group.name for group in given), taken=sorted(group.name for group in taken),
    )  # fmt: skip


def _client() -> Any:
    """Reads the discovery document anew: a sign-in is rare, a change there must not need a restart here."""
    from authlib.integrations.django_client import OAuth

    client = OAuth().register(
        "provider",
        overwrite=True,
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET or None,
        server_metadata_url=settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": PATIENCE_SECONDS,
            **({} if settings.OIDC_CLIENT_SECRET else {"token_endpoint_auth_method": "none"}),
        },
    )
    document = client.load_server_metadata()
    if document.get("issuer") != settings.OIDC_ISSUER:
        raise ValueError("the discovery document names another issuer")
    # What the document offers is the provider's wish; what we take is ours to say.
    document["id_token_signing_alg_values_supported"] = list(ALGORITHMS)
    return client


def _unreachable(error: Exception) -> SignInRefusedError:
    log.error("single_sign_on.unreachable", error=type(error).__name__)
    return SignInRefusedError(_("The identity provider does not answer as it should. Try again later."))


def _untrusted(what: str) -> SignInRefusedError:
    log.warning("single_sign_on.refused", what=what)
    return SignInRefusedError(_("The answer of the identity provider could not be trusted. Start again."))
