"""What the reader of a page may see: which study, which of its sites."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import abort, request

from pro_service.core.protocol import Protocol
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants.cases import zone_of
from pro_service.store.studies import Sites
from pro_service.web import access
from pro_service.web.access import signed_in
from pro_service.web.capabilities import Capability

STUDY_COOKIE = "study"
LARGEST_ID = 2**63 - 1
NOBODYS = -1
"""The id of no study."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One study, seen by one member of staff."""

    study_id: int | None
    study: str
    studies: tuple[str, ...]
    """Codes of the studies one may choose from."""
    sites: Sites
    """None = all of the study."""
    site_codes: dict[int, str]
    """The sites one may see."""
    site: str | None
    """The one chosen in the address."""
    protocol: Protocol | None
    every_site: frozenset[int]
    """All of the study's, seen or not."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of what is about no single site: the first site's."""
        codes = [] if self.protocol is None else [*self.site_codes.values(), *self.protocol.sites]
        sites = {} if self.protocol is None else self.protocol.sites
        return zone_of(next((sites[code].zone for code in codes if code in sites), "UTC"))

    @property
    def named(self) -> str | None:
        """The study, for an address that would otherwise lead to whichever is chosen by then; None if there is one."""
        return self.study if len(self.studies) > 1 else None

    @property
    def chosen_sites(self) -> Sites:
        """The sites one may see and has chosen."""
        if self.site is None:
            return self.sites
        return frozenset(key for key, code in self.site_codes.items() if code == self.site)


def row_id(text: str) -> int:
    """The number of a row; ValueError for what no database could count to."""
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError
    return number


def actor() -> Actor:
    """Who acts on this page."""
    user_id = signed_in().user_id
    return Actor(kind="staff", id=f"user:{user_id}", source="dashboard", user_id=user_id)


def scope_here(rt: Runtime, capability: Capability | None = None) -> Scope:
    """What the reader may see of the study this page or form is about: two studies may use the same codes."""
    return scope_of(rt, named=request.values.get("study"), capability=capability)


def scope_of(
    rt: Runtime, study_id: int | None = None, *, named: str | None = None, capability: Capability | None = None
) -> Scope:
    """What the reader may see: the study they chose, else their first.

    `study_id`, or its code in `named`, asks for one; 404 if it is not theirs. What is theirs follows from their roles
    that hold what this page needs, or another `capability`.
    """
    grants = access.grants(capability)
    everywhere = any(grant.study_id is None for grant in grants)
    with rt.sessions.glance() as connection:
        every = studies.overviews(connection)
        theirs = {
            code: study.id for code, study in every.items() if everywhere or study.id in {g.study_id for g in grants}
        }
        if named is not None:
            study_id = theirs.get(named, NOBODYS)
        if study_id is not None and study_id not in theirs.values():
            abort(404)
        chosen = study_id if study_id is not None else theirs.get(request.cookies.get(STUDY_COOKIE, ""))
        chosen = chosen if chosen is not None else min(theirs.values(), default=None)
        if chosen is None:
            return Scope(None, "", (), None, {}, None, None, frozenset())
        own = {g.site_id for g in grants if g.study_id in (None, chosen)}
        sites = None if None in own else frozenset(site for site in own if site is not None)
        code = next(code for code, key in theirs.items() if key == chosen)
        found = every[code]
        codes = {key: site for key, site in found.sites.items() if sites is None or key in sites}
        site = request.args.get("site")
        return Scope(
            study_id=chosen,
            study=code,
            studies=tuple(sorted(theirs)),
            sites=sites,
            site_codes=codes,
            site=site if site in codes.values() else None,
            protocol=None if found.version_id is None else rt.loader.protocol_of(connection, found.version_id),
            every_site=frozenset(found.sites),
        )
