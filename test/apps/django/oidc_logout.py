from urllib.parse import urlencode

from django.conf import settings


def provider_logout_url(request):
    """Where the browser goes from this site's logout: to the provider's, which tells the others."""
    parameters = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": request.build_absolute_uri("/bye/"),
    }
    return f"{settings.PROTOCOL}/logout?{urlencode(parameters)}"
