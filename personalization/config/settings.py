"""Everything that differs between a laptop and a cluster comes from the environment; see docs/settings.md.

Safe by default: without DEBUG the product demands a secret key, HTTPS cookies and named hosts.
"""

import os
from pathlib import Path

import environ
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from personalization.config import logs
from personalization.config.navigation import UNFOLD
from personalization.config.schedule import ROUTES, schedule

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

# Where `manage.py up` keeps its servers' data, model files and the addresses of what it started.
DATA_DIR = Path(env.str("BESPOKE_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
if not os.access(BASE_DIR, os.W_OK):
    # Compiled loops lie beside the code. An image's user may write neither that nor a home.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(DATA_DIR / "compiled"))
_local = DATA_DIR / "local.env"
for _line in _local.read_text().splitlines() if os.access(_local, os.R_OK) else ():
    os.environ.setdefault(*_line.split("=", 1))

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-only-for-tests-and-debug" if DEBUG else "")
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
CSRF_FAILURE_VIEW = "personalization.config.unanswered.forged"

# --- Applications -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "personalization.config",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "personalization.access",
    "personalization.language_model",
    "personalization.customers",
    "personalization.privacy",
    "personalization.catalog",
    "personalization.events",
    "personalization.sources",
    "personalization.traits",
    "personalization.segments",
    "personalization.content",
    "recommender",
    "experiments",
    "campaigns",
    "campaigns.onsite",
    "personalization.demo",
]
MIDDLEWARE = [
    "personalization.config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "personalization.access.rate_limits.RateLimitMiddleware",
    "personalization.config.quick.QuickMiddleware",
    "personalization.config.compression.CompressionMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "personalization.config.middleware.StaffLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "personalization.access.signing_in.middleware.StaffSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "personalization.config.middleware.ContentSecurityPolicyMiddleware",
    # Calls the view itself, hence the last.
    "personalization.access.idempotency.IdempotencyMiddleware",
]
ROOT_URLCONF = "personalization.config.urls"
WSGI_APPLICATION = "personalization.config.wsgi.application"
AUTH_USER_MODEL = "access.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Engines ------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///bespoke")}
# A host that has died is noticed in seconds; without this every process waits for a quarter of an hour.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10, "tcp_user_timeout": 20_000, "keepalives_idle": 30, "keepalives_interval": 10,
} | DATABASES["default"].get("OPTIONS", {})  # fmt: skip
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Transaction pooling in front of PostgreSQL breaks server-side cursors and prepared statements.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.bool("PGBOUNCER", default=False)
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
EMAIL_URL = env.str("EMAIL_URL", default="smtp://127.0.0.1:1025")
# Where caught mail can be read; empty when mail really goes out.
INBOX_URL = env.str("INBOX_URL", default="")
# The same server for the few messages outside of campaigns, such as confirmations.
_mail = env.email_url_config(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 30
# Everything works, and nothing leaves: no message of any channel, no webhook, no confirmation.
SANDBOX = env.bool("SANDBOX", default=False)
EMAIL_BACKEND = f"django.core.mail.backends.{'dummy' if SANDBOX else 'smtp'}.EmailBackend"
DEFAULT_SENDER = env.str("DEFAULT_SENDER", default="shop@bespoke.example")

# --- Celery: at least once, short tasks, ids only; the truth is in PostgreSQL -------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    # Without these two a killed worker's task comes back after 104 s instead of 12 s.
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ROUTES = ROUTES
CELERY_BEAT_SCHEDULE = schedule(tick_seconds=env.float("TICK_SECONDS", default=2.0))
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

# --- Sending ------------------------------------------------------------------------------------------------
JOURNAL_DIR = Path(env.str("JOURNAL_DIR", default=str(DATA_DIR / "journal")))
# A worker that stops answering loses its chunk after this long; one that answers prolongs it.
SEND_LEASE_SECONDS = env.int("SEND_LEASE_SECONDS", default=20)
# After a temporary refusal a message is tried again this much later, then twice as much, and so on.
SEND_RETRY_SECONDS = env.int("SEND_RETRY_SECONDS", default=60)
SEND_TIMEOUT_SECONDS = env.int("SEND_TIMEOUT_SECONDS", default=30)
# Of one worker process, to a server or provider that answers slowly.
SEND_CONNECTIONS = env.int("SEND_CONNECTIONS", default=5)
# Where mail servers send their reports to, as bounces+<message>@…; empty: to the sender's address.
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="")
# The mailbox of those reports, read every minute: imaps://user:password@host/INBOX or pop3s://…
BOUNCE_MAILBOX = env.str("BOUNCE_MAILBOX", default="")
TRAP_LINKS = env.bool("TRAP_LINKS", default=True)  # a link that only scanners follow, in every e-mail
# Hosts of one's own network that webhooks, push services and gateways may be at; all others must be public.
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
OUTBOUND_CA_FILE = env.str("OUTBOUND_CA_FILE", default="")
MODEL_DIR = Path(env.str("MODEL_DIR", default=str(DATA_DIR / "models")))
# A file in the MaxMind format (GeoLite2 City): events get the place of their address, which is never kept.
GEOIP_FILE = env.str("GEOIP_FILE", default="")
# An ONNX file that turns pictures of items into vectors; empty: a small encoder is trained on the catalog.
IMAGE_ENCODER = env.str("IMAGE_ENCODER", default="")
# Font files for words in pictures, tried in turn before those of the system.
PICTURE_FONTS = env.list("PICTURE_FONTS", default=[])
# The keys of address hashes and of links in mail outlive a rotation of SECRET_KEY. A name with nothing behind
# it, as in a file that was not filled in, is no key: whoever knew that could sign.
LINK_KEY = env.str("LINK_KEY", default="") or SECRET_KEY
ADDRESS_KEY = env.str("ADDRESS_KEY", default="") or SECRET_KEY
# No figure of a report is about fewer customers than this.
K_ANONYMITY = env.int("K_ANONYMITY", default=10)
# What is kept of the network address from which a consent came: truncated, hashed or none.
ORIGIN_POLICY = env.str("ORIGIN_POLICY", default="truncated")
# The first encrypts what is secret at rest, all of them decrypt it.
DATA_KEYS = env.list("DATA_KEYS", default=[]) or [SECRET_KEY]
BACKUP_KEY_DIR = env.str("BACKUP_KEY_DIR", default="")  # empty: backups are not sealed
BACKUP_RETENTION_DAYS = env.int("BACKUP_RETENTION_DAYS", default=30)

# --- Data in ------------------------------------------------------------------------------------------------
# Uploaded files hold people's data: never below MEDIA_ROOT, which the web server shows to everybody.
IMPORT_DIR = Path(env.str("IMPORT_DIR", default=str(DATA_DIR / "imports")))
IMPORT_RETENTION_DAYS = env.int("IMPORT_RETENTION_DAYS", default=7)
EXPORT_DIR = Path(env.str("EXPORT_DIR", default=str(DATA_DIR / "exports")))
SOURCE_SQLITE_DIR = Path(env.str("SOURCE_SQLITE_DIR", default=str(DATA_DIR / "sources")))
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=10_000_000_000)

# --- API ----------------------------------------------------------------------------------------------------
LIVE_STREAMS = env.int("LIVE_STREAMS", default=2)  # each holds a thread of the web process
# Calls in a minute: of one key, and of one address without a key. 0: without end.
API_RATE_PER_MINUTE = env.int("API_RATE_PER_MINUTE", default=60_000)
PUBLIC_RATE_PER_MINUTE = env.int("PUBLIC_RATE_PER_MINUTE", default=3_000)
REST_FRAMEWORK = {
    # The key comes first, so that a missing one is answered 401 and not 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "personalization.access.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["personalization.access.permissions.HasScope"],
    "DEFAULT_PAGINATION_CLASS": "personalization.access.pagination.CursorPagination",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["personalization.access.json_parser.PlainJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "personalization.access.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "personalization.access.problems.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bespoke",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What a call takes has a type of its own: without it clients would demand fields that are only read.
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "personalization.config.openapi.add_other_calls",
    ],
    # Fields of one name with other choices in several answers: what generated clients call them.
    "ENUM_NAME_OVERRIDES": {
        "DiscoveryKindEnum": "personalization.segments.models.DiscoveryKind",
        "DiscoveryStatusEnum": "personalization.segments.models.DiscoveryStatus",
        "DeliveryStatusEnum": "campaigns.models.DeliveryStatus",
        "DeliveryReasonEnum": "campaigns.models.SkipReason",
        "ImportKindEnum": "personalization.sources.models.Kind",
        "ImportStatusEnum": "personalization.sources.models.ImportStatus",
        "JobStatusEnum": "personalization.access.jobs.row.JobStatus",
        "ModelCallStatusEnum": "personalization.language_model.models.CallStatus",
    },
}

# --- Languages, time, files ---------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "unfold"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["personalization.config.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 600_000  # a batch of events is at most 500 kB

# --- Security -----------------------------------------------------------------------------------------------
_HTTPS = SITE_URL.startswith("https://") or not env.bool("ALLOW_HTTP", default=DEBUG)
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # previews are frames of our own pages
# Off: staff come by single sign-on alone.
PASSWORD_SIGN_IN = env.bool("PASSWORD_SIGN_IN", default=True)
# Single sign-on by OpenID Connect; off while there is no issuer.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_SCOPES = env.str("OIDC_SCOPES", default="openid email profile")
OIDC_ROLE_CLAIM = env.str("OIDC_ROLE_CLAIM", default="groups")
OIDC_ROLES = env.dict("OIDC_ROLES", default={})
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Where traces and figures go, by OTLP over HTTP; empty: nowhere, and nothing of it is loaded.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
if OTEL_EXPORTER_OTLP_ENDPOINT:
    MIDDLEWARE.insert(0, "personalization.config.telemetry.TracingMiddleware")
LOGGING_CONFIG = None
logs.configure(json=env.bool("LOG_JSON", default=not DEBUG), level=env.str("LOG_LEVEL", default="INFO"))

__all__ = ["UNFOLD"]  # the shell's menu is a setting too, kept in a file of its own
