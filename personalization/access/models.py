"""Staff who log in, keys with which programs call, and the record of who did what."""

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from personalization.access.audit_words import READ_ON, say_action
from personalization.access.fields import EncryptedTextField


class User(AbstractUser):
    """A member of staff. The people we market to are `customers.Customer`."""

    language = models.CharField(_("language"), max_length=16, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")


class RoleRule(models.Model):
    """What a role asks of its members."""

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="rule")
    second_factor_required = models.BooleanField(
        _("second factor required"),
        default=False,
        help_text=_("Members without one can do nothing but set it up."),
    )

    class Meta:
        verbose_name = _("rule of the role")
        verbose_name_plural = _("rules of the role")

    def __str__(self) -> str:
        return self.group.name


class SecondFactor(models.Model):
    """The authenticator app of a member of staff (TOTP, RFC 6238); it counts once confirmed by a code."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="second_factor")
    secret = EncryptedTextField()
    confirmed_at = models.DateTimeField(null=True)
    # The time step of the last code taken: none is taken twice.
    last_step = models.BigIntegerField(default=0)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    wrong_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"user:{self.user_id}"


class RecoveryCode(models.Model):
    """Opens once, when the phone is lost. 80 random bits, kept as a hash."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"user:{self.user_id}"


class SignInMethod(models.TextChoices):
    PASSWORD = "password", _("Password")
    SECOND_FACTOR = "second_factor", _("Password and second factor")
    SINGLE_SIGN_ON = "single_sign_on", _("Single sign-on")
    OTHER = "other", _("Other")


class StaffSession(models.Model):
    """A browser in which a member of staff is logged in; it goes with the session itself.

    Of the address only the network is kept.
    """

    session = models.OneToOneField(Session, models.CASCADE, related_name="staff")
    user = models.ForeignKey(User, models.CASCADE, related_name="staff_sessions")
    method = models.CharField(max_length=20, choices=SignInMethod)
    device = models.CharField(max_length=100, blank=True)
    network = models.CharField(max_length=50, blank=True)
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_used_at"]

    def __str__(self) -> str:
        return f"user:{self.user_id} {self.device}"


class ExternalIdentity(models.Model):
    """Who a member of staff is to the identity provider: `sub` is unique and never given to another there."""

    user = models.ForeignKey(User, models.CASCADE, related_name="external_identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_once")]

    def __str__(self) -> str:
        return f"user:{self.user_id} {self.issuer}"


class Scope(models.TextChoices):
    INGEST = "ingest", _("Send events (identify, track, batch)")
    CUSTOMERS_READ = "customers:read", _("Read customers")
    CUSTOMERS_WRITE = "customers:write", _("Change customers and consent")
    PRIVACY = "privacy", _("Export and erase all data of a person")
    IMPORTS = "imports", _("Import files and look at imports")
    SEGMENTS_READ = "segments:read", _("Read segments")
    SEGMENTS_WRITE = "segments:write", _("Change segments")
    RECOMMENDATIONS = "recommendations", _("Ask for recommendations")
    MODELS_READ = "models:read", _("Read trained models and their evidence")
    MODELS_WRITE = "models:write", _("Train, promote and roll back models")
    DECIDE = "decide", _("Ask what to show on a page")
    CAMPAIGNS_READ = "campaigns:read", _("Read campaigns and reports")
    CAMPAIGNS_WRITE = "campaigns:write", _("Change and launch campaigns")
    SENDERS_READ = "senders:read", _("Read senders and webhooks")
    SENDERS_WRITE = "senders:write", _("Change senders and webhooks, with their secrets")


# How the prefix of a test key begins: whoever sees a key sees what it is.
TEST_MARK = "test_"


class ApiKey(models.Model):
    """A program's permission to call us. Only a hash of the secret is kept: a stolen table opens nothing."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope), verbose_name=_("scopes"))
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_test(self) -> bool:
        """What is triggered with it runs through the whole chain, and nothing leaves the house."""
        return self.prefix.startswith(TEST_MARK)


class KeptAnswer(models.Model):
    """What a call with an Idempotency-Key was answered, for a day (see `idempotency`).

    Addresses, keys and bodies may speak of a person: they are kept as keyed hashes, the answer encrypted.
    """

    key = models.ForeignKey(ApiKey, models.CASCADE)
    call_hash = models.BinaryField(max_length=32)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = EncryptedTextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "call_hash"], name="kept_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{bytes(self.call_hash).hex()[:12]}: {self.status}"


class AuditEntry(models.Model):
    """One write by a person or a key: who, what, on what. Written once, never changed."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.CharField(_("actor"), max_length=200)
    action = models.CharField(_("action"), max_length=100)
    target = models.CharField(_("target"), max_length=200)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["target", "-at"], name="audit_target_at")]

    def __str__(self) -> str:
        return say_action(self.action)


class PersonalRead(models.Model):
    """A member of staff was shown personal data: who, when, on which page, of which customers. A list is one
    row. Written once, never changed; the numbers name nobody once a customer is erased."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.CharField(_("actor"), max_length=200)
    page = models.CharField(_("page"), max_length=100)
    customer_ids = ArrayField(models.BigIntegerField(), verbose_name=_("customers"))

    class Meta:
        verbose_name = _("read of personal data")
        verbose_name_plural = _("reads of personal data")
        ordering = ["-at", "-id"]
        indexes = [
            GinIndex(fields=["customer_ids"], name="personal_read_customers"),
            models.Index(fields=["actor", "-at"], name="personal_read_actor"),
        ]

    def __str__(self) -> str:
        return str(READ_ON.get(self.page, self.page))


class AuditSeal(models.Model):
    """The hash of a stretch of a log, chained to the one before: whoever changes or removes an entry would
    have to change every later seal too, also the copies of them that were written down elsewhere."""

    log = models.CharField(_("log"), max_length=40)
    first_id = models.BigIntegerField(_("from entry"))
    last_id = models.BigIntegerField(_("to entry"))
    entries = models.PositiveIntegerField(_("entries"))
    sha256 = models.CharField("SHA-256", max_length=64)
    sealed_at = models.DateTimeField(_("sealed at"), auto_now_add=True)

    class Meta:
        verbose_name = _("seal of the audit log")
        verbose_name_plural = _("seals of the audit log")
        ordering = ["log", "-last_id"]
        constraints = [models.UniqueConstraint(fields=["log", "first_id"], name="audit_seal_once")]

    def __str__(self) -> str:
        return f"{self.log} {self.first_id}–{self.last_id}"
