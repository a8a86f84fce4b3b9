"""A site with mozilla-django-oidc: it signs its users in by itself, in the same realm."""

import os

from common import *  # noqa: F403
from common import INSTALLED_APPS

ISSUER = os.environ["OIDC_ISSUER"]
PROTOCOL = f"{ISSUER}/protocol/openid-connect"

ROOT_URLCONF = "oidc_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "mozilla_django_oidc"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "mozilla_django_oidc.middleware.SessionRefresh",
]
AUTHENTICATION_BACKENDS = ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"]
LOGIN_URL = "oidc_authentication_init"
# The browser has cookies of the gate at the same host name, on another port.
SESSION_COOKIE_NAME = "oidc_sessionid"
CSRF_COOKIE_NAME = "oidc_csrftoken"

OIDC_RP_CLIENT_ID = "django-oidc"
OIDC_RP_CLIENT_SECRET = os.environ["OIDC_RP_CLIENT_SECRET"]
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{PROTOCOL}/auth"
OIDC_OP_TOKEN_ENDPOINT = f"{PROTOCOL}/token"
OIDC_OP_USER_ENDPOINT = f"{PROTOCOL}/userinfo"
OIDC_OP_JWKS_ENDPOINT = f"{PROTOCOL}/certs"
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 1
OIDC_STORE_ID_TOKEN = True
LOGOUT_REDIRECT_URL = "/bye/"
OIDC_OP_LOGOUT_URL_METHOD = "oidc_logout.provider_logout_url"
