"""Serves a Django site with a new database and a superuser alice: `python serve.py SETTINGS ADDRESS:PORT`."""

import os
import sys

import django
from django.core.management import call_command

SETTINGS, ADDRESS = sys.argv[1:]

os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
django.setup()
call_command("migrate", verbosity=0)
call_command("createsuperuser", interactive=False, verbosity=0, username="alice", email="alice@acme.example")
call_command("runserver", ADDRESS, use_reloader=False, skip_checks=True)
