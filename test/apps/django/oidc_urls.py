from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.template import engines
from django.urls import include, path

PAGE = engines["django"].from_string(
    "<p>This site knows {{ user.email }}.</p>"
    '<form method="post" action="{% url "oidc_logout" %}">{% csrf_token %}<button>Log out</button></form>'
)

urlpatterns = [
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("bye/", lambda request: HttpResponse("Bye.")),
    path("", login_required(lambda request: HttpResponse(PAGE.render(request=request)))),
]
