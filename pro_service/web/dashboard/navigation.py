"""The links to the other pages, at the top of each: those that the reader's roles open."""

from dataclasses import dataclass

from flask import request

from pro_service.runtime import Runtime
from pro_service.web.access import may
from pro_service.web.dashboard import confirmation, inbox, queries, today, worklist
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import NoStudy, Scope


@dataclass(frozen=True, slots=True)
class Link:
    """One link: where it leads, what it is called, whether the reader is there."""

    address: str
    words: str
    current: bool
    waiting: int = 0
    """How many tasks or texts wait there for this reader."""
    what: str = ""
    """What these are."""


def navigation(rt: Runtime, scope: Scope | NoStudy) -> list[Link]:
    """Return the links for this reader, in their order."""
    works, progress = may("work"), may("progress")
    links = []
    if works:
        links.append(
            Link("/", _("Today"), request.endpoint == "dashboard.today", today.count(rt, scope), _("open tasks"))
        )
    if may("tasks"):
        links.append(_section("/tasks", _("Tasks"), worklist.count(rt, scope), _("open tasks")))
    if works:
        links.append(_section("/enrol", _("Enrol")))
    if progress:
        links.append(_section("/participants", _("Participants")))
    if progress and works:
        links.append(_section("/inbox", _("Inbox"), inbox.waiting(rt, scope), _("messages that wait for a person")))
    if may("queries"):
        links.append(_section("/queries", _("Queries"), queries.count(rt, scope), _("queries that wait for you")))
    if progress:
        links.append(_section("/compliance", _("Compliance")))
        links.append(_section("/messages", _("Messages")))
        links.append(_section("/study", _("Study"), confirmation.waiting(rt, scope), _("a version to confirm")))
    return links + _further_links(works=works)


def _further_links(*, works: bool) -> list[Link]:
    """Return the links that few roles have."""
    links = []
    if may("export") and not works:
        # To others the page of compliance leads: the row of who works as a coordinator too is full.
        links.append(_page("/data", _("Data")))
    if may("entry") and not works:
        links.append(_page("/clinic", _("In the clinic")))
    if may("users"):
        links.append(_section("/users", _("Users")))
    elif may("team") and not works:
        # To others the page of the study leads: the row of who works as a coordinator too is full.
        links.append(_page("/team", _("Team")))
    if may("system"):
        links.append(_page("/sites", _("Sites")))
        links.append(_page("/system", _("System")))
    if may("columns") and not may("progress"):
        links.append(_page("/study/columns", _("Column names")))
    if may("revelations"):
        links.append(_page("/revealed", _("Blinding")))
    if may("audit"):
        links.append(_page("/audit", _("Audit trail")))
    return links


def _section(address: str, words: str, waiting: int = 0, what: str = "") -> Link:
    """Return a link that is current on every page below its address."""
    return Link(address, words, request.path.startswith(address), waiting, what)


def _page(address: str, words: str) -> Link:
    return Link(address, words, request.path == address)
