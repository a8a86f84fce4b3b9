from django.contrib.auth.middleware import RemoteUserMiddleware


class GateUserMiddleware(RemoteUserMiddleware):
    header = "HTTP_X_REMOTE_USER"
