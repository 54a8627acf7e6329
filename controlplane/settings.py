"""Settings: each value once, from the environment, with a safe default or a clear refusal."""

import os
import re
import secrets
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from controlplane.environment import ROLES, Environment, database
from core.api.openapi_parts import COMPONENTS

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").absolute()
environment = Environment(DATA_DIR)
VERSION = "0.1.0"

# --- Who we are, and how people reach us -------------------------------------------------
PUBLIC_URL = environment.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
GATEWAY_URL = environment.get("GATEWAY_URL", "http://127.0.0.1:8001").rstrip("/")
_public = urlsplit(PUBLIC_URL)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
if _public.scheme != "https" and _public.hostname not in LOOPBACK:
    raise ImproperlyConfigured("PUBLIC_URL must be https unless it is on loopback (127.0.0.1, localhost).")
ALLOWED_HOSTS = [each for each in environment.get("ALLOWED_HOSTS").split(",") if each]
ALLOWED_HOSTS += [_public.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
INSTALLATION_NAME = environment.get("INSTALLATION_NAME", "Self-hosted")

# --- Secrets -----------------------------------------------------------------------------
# Without a key of its own a process can still run checks, but shares no session with others.
SECRET_KEY = environment.get("SECRET_KEY") or environment.key("secret_key") or secrets.token_urlsafe(48)
LEDGER_KEY_FILE = Path(environment.get("LEDGER_KEY_FILE", str(DATA_DIR / "keys" / "ledger_ed25519")))
# Seals secrets that must be read again (webhooks); former keys still open what they sealed.
ENVELOPE_KEY = environment.get("ENVELOPE_KEY") or environment.key("envelope_key")
ENVELOPE_KEYS_FORMER = [each for each in environment.get("ENVELOPE_KEYS_FORMER").split(",") if each]
DEBUG = False

# --- Parts ------------------------------------------------------------------------------
OUR_APPS = [
    "core",
    "audit",
    "accounts",
    "pipelines",
    "pipelines.sources",
    "registry",
    "registry.access",
    "registry.storage",
    "registry.signing",
    "registry.uploads",
    "registry.evaluations",
    "registry.cards",
    "registry.scans",
    "registry.imports",
    "deployments",
    "monitoring",
    "monitoring.costs",
    "monitoring.incidents",
    "approvals",
    "mlflow_api",
    "workspace",
    "workspace.webhooks",
    "workspace.saved_views",
    "controlplane",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "guardian",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    *[each for each in OUR_APPS if (BASE_DIR / each.replace(".", "/") / "apps.py").exists()],
]
MIDDLEWARE = [
    "core.middleware.RequestIds",
    "core.middleware.Revisions",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.authentication.Actors",
    "accounts.attempts.Attempts",
    "core.middleware.Refusals",
    "core.error_pages.PagesForRefusedMethods",
]
ROOT_URLCONF = "controlplane.urls"
WSGI_APPLICATION = "controlplane.wsgi.application"
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
                *(["core.frame.frame"] if find_spec("core.frame") else []),
            ],
            "builtins": [
                "django.templatetags.static",
                "core.templatetags.prose",
                "core.templatetags.ui",
                "core.templatetags.drawings",
            ],
        },
    }
]

# --- PostgreSQL -------------------------------------------------------------------------
# A process works as one role; `manage.py migrate` is the owner, the sealer is the sealer.
DATABASE_URLS = {role: environment.get(name) for role, name in ROLES.items()}
DATABASE_ROLE = os.environ.get("DATABASE_ROLE", "app")
if DATABASE_ROLE not in DATABASE_URLS:
    raise ImproperlyConfigured(f"DATABASE_ROLE must be one of {', '.join(DATABASE_URLS)}.")
DATABASE_POOL = int(os.environ.get("DATABASE_POOL", "0"))
_pool: dict[str, Any] | None = (
    {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5} if DATABASE_POOL else None
)
DATABASES = {"default": database(DATABASE_URLS[DATABASE_ROLE], pool=_pool)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Valkey and Celery ------------------------------------------------------------------
REDIS_URL = environment.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "controlplane",
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Publishing must fail at once when the broker is down: the reaper finds the row.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 7200,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "max_retries": 0,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat")
CELERY_TIMEZONE = "UTC"

# --- Bytes ------------------------------------------------------------------------------
ARTIFACT_ROOT = environment.get("ARTIFACT_ROOT", str(DATA_DIR / "artifacts"))
# Of use with ARTIFACT_ROOT=s3://bucket/prefix; unset, boto3 finds profiles and instance roles.
S3_ENDPOINT_URL = environment.get("S3_ENDPOINT_URL").rstrip("/")
S3_REGION = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
S3_ACCESS_KEY_ID = environment.get("AWS_ACCESS_KEY_ID")
S3_SECRET_ACCESS_KEY = environment.get("AWS_SECRET_ACCESS_KEY")
S3_SESSION_TOKEN = environment.get("AWS_SESSION_TOKEN")
# Servers of one's own rarely have a name per bucket.
S3_ADDRESSING = environment.get("S3_ADDRESSING", "path" if S3_ENDPOINT_URL else "auto")
# AES256, aws:kms or aws:kms:<key>; empty: what the bucket does by itself.
S3_ENCRYPTION = environment.get("S3_ENCRYPTION")
# Large files of versions are fetched from S3 itself, by an address that is good for a minute.
S3_PRESIGNED_DOWNLOADS = environment.get("S3_PRESIGNED_DOWNLOADS", "off") == "on"
if S3_ADDRESSING not in {"path", "virtual", "auto"}:
    raise ImproperlyConfigured("S3_ADDRESSING must be 'path', 'virtual' or 'auto'.")
if not re.match(r"^(AES256|aws:kms(:.+)?)?$", S3_ENCRYPTION):
    raise ImproperlyConfigured("S3_ENCRYPTION must be 'AES256', 'aws:kms' or 'aws:kms:<key id>'.")
if ARTIFACT_ROOT.startswith("s3://") and not re.match(
    r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$", ARTIFACT_ROOT
):
    raise ImproperlyConfigured("ARTIFACT_ROOT must be a folder or s3://<bucket>/<prefix>.")
SANDBOX = environment.get("SANDBOX", "best")
if SANDBOX not in {"required", "best"}:
    raise ImproperlyConfigured("SANDBOX must be 'required' or 'best'.")
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- People -----------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
# Rights are read by core.actors.holds, never through Django's backends.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
if _public.scheme != "https":
    # Plain http is accepted on loopback alone (above), where nothing is sent over a network: HSTS (W004)
    # and a redirect to https (W008) would lock people out, and secure cookies (W012, W016) are not sent back.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/inbox/"
LOGOUT_REDIRECT_URL = "/login/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SECURE_HSTS_SECONDS = 31_536_000 if _public.scheme == "https" else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _public.scheme == "https"
SECURE_SSL_REDIRECT = _public.scheme == "https"
# Edge's own questions come over a unix socket; it lets nobody from outside reach these addresses.
SECURE_REDIRECT_EXEMPT = [r"^internal/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- REST -------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsing.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "core.api.paging.KeysetPages",
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.ConventionalSchema",
    "DEFAULT_THROTTLE_RATES": {},
    "EXCEPTION_HANDLER": "core.api.problems.handle",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "COERCE_DECIMAL_TO_STRING": True,
    "STRICT_JSON": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Controlplane",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.SignedIn"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "GENERIC_ADDITIONAL_PROPERTIES": "bool",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "APPEND_COMPONENTS": COMPONENTS,
    # Choices stand where they are used: names made up for shared lists change with every new list.
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enum_id_removal",
        "core.api.openapi.without_trailing_slashes",
        "core.api.openapi.with_plain_nulls",
    ],
}

# --- Language, time, files --------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").exists() else []
STATIC_ROOT = DATA_DIR / "run" / "static"
# os.path answers False where Path raises: commands load this for a data folder they may not read.
_is_collected = os.path.isfile(STATIC_ROOT / "staticfiles.json")
_collected = _is_collected and not os.environ.get("STATIC_FROM_SOURCE")
WHITENOISE_USE_FINDERS = not _collected
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected or os.environ.get("COLLECT_STATIC")
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Logs: one JSON object per line -----------------------------------------------------
LOG_LEVEL = environment.get("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "core.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Celery's own lines name messages, not jobs; core.jobs.run says what became of each job.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("django.server", "httpx", "celery.worker.strategy", "celery.app.trace", "celery.beat")
    },
}
# Set for the processes of a stack: what nobody catches is a line of the log, too.
LOG_UNCAUGHT = bool(os.environ.get("LOG_UNCAUGHT"))

# --- registry ---------------------------------------------------------------------------
# Which scanners look at a new version's files; none: every version stays "not scanned", which is not clean.
SCANNERS = [each.strip() for each in environment.get("SCANNERS", "picklescan,modelscan").split(",")]
SCANNERS = [each for each in SCANNERS if each != "none"]
if set(SCANNERS) - {"picklescan", "modelscan"}:
    raise ImproperlyConfigured("SCANNERS is a list of picklescan and modelscan, or none.")
# The most bytes one model version may have.
REGISTRY_LARGEST_VERSION_BYTES = int(environment.get("REGISTRY_LARGEST_VERSION_BYTES", str(10 << 30)))
# The most bytes all versions of one model may have together, unless it has a quota of its own.
REGISTRY_MODEL_QUOTA_BYTES = int(environment.get("REGISTRY_MODEL_QUOTA_BYTES", "0"))
# Bytes that no row names any more are deleted after this long.
UNREFERENCED_KEPT_DAYS = int(environment.get("UNREFERENCED_KEPT_DAYS", "30"))
if UNREFERENCED_KEPT_DAYS < 1:
    raise ImproperlyConfigured("UNREFERENCED_KEPT_DAYS must be 1 or more: uploads under way need a day.")
# The longest a search of MLflow's clients may keep the database at work.
REGISTRY_SEARCH_SECONDS = float(environment.get("REGISTRY_SEARCH_SECONDS", "10"))
# MLflow's own app, as the workers reach it, and where it keeps artifacts: in the object store's
# folder or bucket, so that a worker on another machine reads what was logged through any edge.
TRACKING_SOCKET = environment.get("TRACKING_SOCKET")
TRACKING_URL = environment.get("TRACKING_URL", "http://127.0.0.1:5000").rstrip("/")
TRACKING_SECRET = environment.get("TRACKING_SECRET") or environment.key("tracking_secret")
TRACKING_SECRET_HEADER = "X-Controlplane-Tracking-Secret"  # noqa: S105 - a name, not a secret
TRACKING_ARTIFACTS = environment.get("TRACKING_ARTIFACTS") or (
    f"{ARTIFACT_ROOT.rstrip('/')}/mlflow"
    if ARTIFACT_ROOT.startswith("s3://")
    else str(DATA_DIR / "artifacts" / "mlflow")
)

# --- Sign-in (allauth) -------------------------------------------------------------------
ACCOUNT_ADAPTER = "accounts.sign_in.Adapter"
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_ALLOW_REGISTRATION = False

# --- Browser policy (django-csp, permissions-policy) -----------------------------------------
MIDDLEWARE += ["csp.middleware.CSPMiddleware", "django_permissions_policy.PermissionsPolicyMiddleware"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")
}

# --- deployments ------------------------------------------------------------------------
# durable: a prediction is answered once its log record is on disk. buffered: faster, and the
# last moments of the log may be lost with the machine (not with the process).
PREDICTION_LOG_MODE = environment.get("PREDICTION_LOG_MODE", "durable")
if PREDICTION_LOG_MODE not in {"durable", "buffered"}:
    raise ImproperlyConfigured("PREDICTION_LOG_MODE must be 'durable' or 'buffered'.")
# A journal file is handed to the sealer after this long.
PREDICTION_LOG_ROTATE_SECONDS = float(environment.get("PREDICTION_LOG_ROTATE_SECONDS", "5"))

# --- Pages ------------------------------------------------------------------------------
CSRF_FAILURE_VIEW = "core.error_pages.form_too_old"
# Every component on one page, for people who build pages; never in an installation.
SHOW_STYLEGUIDE = bool(os.environ.get("SHOW_STYLEGUIDE"))

# --- pipelines --------------------------------------------------------------------------
# The most bytes one uploaded table may have.
DATASETS_LARGEST_UPLOAD_BYTES = int(environment.get("DATASETS_LARGEST_UPLOAD_BYTES", str(512 << 20)))
# Databases that data sets may be queried from: SQL_SOURCE_WAREHOUSE (or SQL_SOURCE_WAREHOUSE_FILE)
# is the libpq address of the source "warehouse". People name sources, never hosts; an administrator
# says who may use which. Give each a role of its own that may only read.
DATASETS_SQL_SOURCES = environment.named("SQL_SOURCE_")
# How long a query may run there.
DATASETS_SQL_TIMEOUT_SECONDS = int(environment.get("DATASETS_SQL_TIMEOUT_SECONDS", "300"))
# Keys that S3 sources name: S3_SOURCE_KEYS_LAKE (or S3_SOURCE_KEYS_LAKE_FILE) holds "access:secret"
# or "access:secret:token". A source without keys is read unsigned, never with the installation's own.
DATASETS_S3_KEYS = environment.named("S3_SOURCE_KEYS_")
for _name, _keys in DATASETS_S3_KEYS.items():
    if not all(_keys.partition(":")[::2]):
        raise ImproperlyConfigured(
            f"S3_SOURCE_KEYS_{_name.upper()} must be access:secret or access:secret:token."
        )
# The only hosts that S3 sources may be read from, names or addresses exactly as in the endpoint.
S3_SOURCE_ALLOWED_HOSTS = [
    each.strip().lower() for each in environment.get("S3_SOURCE_ALLOWED_HOSTS").split(",") if each.strip()
]

# --- webhooks ---------------------------------------------------------------------------
# Hosts (names or addresses, exactly as in the URL) that webhooks may call although they are private,
# and over plain http. Every other target must be a public address behind https.
WEBHOOK_ALLOWED_HOSTS = [
    each.strip().lower() for each in environment.get("WEBHOOK_ALLOWED_HOSTS").split(",") if each.strip()
]
WEBHOOK_TIMEOUT_SECONDS = float(environment.get("WEBHOOK_TIMEOUT_SECONDS", "10"))
