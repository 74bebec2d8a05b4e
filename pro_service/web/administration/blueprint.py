"""Administration put together: users and the team, sites and system, the audit trail."""

from flask import Blueprint

from pro_service.runtime import Runtime
from pro_service.web.administration import audit, system, users


def blueprint(rt: Runtime) -> Blueprint:
    """Return the pages `/users…`, `/team…`, `/sites`, `/system` and `/audit`."""
    pages = Blueprint("administration", __name__)
    for part in (users, system, audit):
        part.add_routes(pages, rt)
    return pages
