"""What the reader of a page may see: which study, which of its sites. A page says with `in_study` that it needs one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import update_wrapper, wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from flask import Response, abort, after_this_request, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Protocol
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants.cases import zone_of
from pro_service.store.staff.accounts import Grant
from pro_service.store.studies import Overview, Sites
from pro_service.use_cases import looks
from pro_service.use_cases.looks import Look
from pro_service.web import access
from pro_service.web.access import NoAccessYetError, signed_in
from pro_service.web.capabilities import Capability
from pro_service.web.i18n import page_usually_stands_in

STUDY_COOKIE = "study"
LARGEST_ID = 2**63 - 1

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Studies = Mapping[str, Overview]
"""By code."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One study, seen by one member of staff."""

    study_id: int
    study: str
    studies: tuple[str, ...]
    """Codes of the studies the reader may choose from."""
    sites: Sites
    """None = all of the study."""
    site_codes: dict[int, str]
    """The sites the reader may see."""
    site: str | None
    """The one chosen in the address."""
    protocol: Protocol
    every_site: frozenset[int]
    """All of the study's, seen or not."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of what is about no single site: the first site's."""
        sites = self.protocol.sites
        codes = [*self.site_codes.values(), *sites]
        return zone_of(next((sites[code].zone for code in codes if code in sites), "UTC"))

    def zone_at(self, site: str | None) -> ZoneInfo:
        """Return the zone of a site, by its code; without a site, the page's."""
        known = self.protocol.sites.get(site or "")
        return self.zone if known is None else zone_of(known.zone)

    @property
    def country(self) -> str:
        """The country of the reader's first site (ISO 3166-1 alpha-2): numbers without a country's code are of it."""
        sites = self.protocol.sites
        return next((sites[code].country for code in (*self.site_codes.values(), *sites) if code in sites), "")

    @property
    def named(self) -> str | None:
        """The study, for an address that would otherwise lead to whichever is chosen by then; None if there is one."""
        return self.study if len(self.studies) > 1 else None

    @property
    def chosen_sites(self) -> Sites:
        """The sites the reader may see and has chosen."""
        if self.site is None:
            return self.sites
        return frozenset(key for key, code in self.site_codes.items() if code == self.site)


@dataclass(frozen=True, slots=True)
class NoStudy:
    """No study is loaded, or none of them is the reader's. It answers what the frame of every page asks of a scope."""

    study_id: None = None
    study: str = ""
    studies: tuple[str, ...] = ()
    named: None = None
    country: str = ""

    def zone_at(self, _site: str | None) -> ZoneInfo:
        """Return the one zone there is."""
        return self.zone

    @property
    def zone(self) -> ZoneInfo:
        """UTC: there is no site whose clock could be meant."""
        return zone_of("UTC")


def no_study(scope: NoStudy) -> str:
    """Return the page that says that there is no study yet."""
    return render_template("dashboard/no_study.html", scope=scope)


def not_found(_: NoStudy) -> ResponseReturnValue:
    """Answer 404: what is looked for belongs to a study."""
    abort(404)


def no_access(_: NoStudy) -> ResponseReturnValue:
    """Raise NoAccessYetError: no role of the reader's holds what this page needs."""
    raise NoAccessYetError


Page: TypeAlias = Callable[Concatenate[Scope, Arguments], Answer]
"""A page that is given what its reader may see."""


def in_study(
    rt: Runtime, *, named: bool = False, otherwise: Callable[[NoStudy], ResponseReturnValue] = no_study
) -> Callable[[Callable[Concatenate[Scope, Arguments], ResponseReturnValue]], Callable[Arguments, ResponseReturnValue]]:
    """Give a page the study it is about, and the sites in it that the reader may see, as its first argument.

    The study is the one the reader chose; with `named`, the one that the address or form names, where it names one (404
    if it is not theirs). Where there is no study, `otherwise` answers, and the page is not asked.
    """

    def decorated(
        page: Callable[Concatenate[Scope, Arguments], ResponseReturnValue],
    ) -> Callable[Arguments, ResponseReturnValue]:
        @wraps(page)
        def view(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
            scope = named_scope(rt) if named else chosen_scope(rt)
            return otherwise(scope) if isinstance(scope, NoStudy) else page(scope, *args, **kwargs)

        return view

    return decorated


def leaves_row(rt: Runtime, page_name: str) -> Callable[[Page[Arguments, Answer]], Page[Arguments, Answer]]:
    """Let a look at a page, or the download of a file, leave a row in the trail once it has been answered."""

    def decorated(page: Page[Arguments, Answer]) -> Page[Arguments, Answer]:
        def view(scope: Scope, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            answer = page(scope, *args, **kwargs)
            about = request.view_args or {}
            leave_row(rt, scope.study_id, page_name, about.get("code"), about.get("text_id"))
            return answer

        update_wrapper(view, page)
        return view

    return decorated


def leave_row(
    rt: Runtime, study_id: int | None, page_name: str, code: str | None = None, text_id: int | None = None
) -> None:
    """Have this look at a page, about a participant or a received text, leave its row once it has been answered."""
    action: looks.Action = "download" if page_name.endswith(".csv") else "look"
    who, look = actor(), Look(action, page_name, study_id, signed_in().id, code, text_id)

    @after_this_request
    def after(response: Response) -> Response:
        if response.status_code == HTTPStatus.OK:
            # When the last byte is out, also of a file that is written while it is read.
            response.call_on_close(lambda: looks.note(rt, who, look))
        return response


def chosen_scope(rt: Runtime, capability: Capability | None = None) -> Scope | NoStudy:
    """Return what the reader may see of the study they chose, else of their first.

    What is theirs follows from their roles that hold what this page needs, or another `capability`.
    """

    def chosen(own: Studies) -> str | None:
        cookie = request.cookies.get(STUDY_COOKIE, "")
        return cookie if cookie in own else min(own, key=lambda code: own[code].id, default=None)

    return _scope(rt, chosen, capability)


def named_scope(rt: Runtime) -> Scope | NoStudy:
    """Return what the reader may see of the study that the address or form names: two studies may use the same codes.

    Where none is named, it is the one they chose. 404 if the one that is named is not theirs.
    """
    name = request.values.get("study")
    return chosen_scope(rt) if name is None else _scope(rt, lambda own: name if name in own else abort(404))


def scope_of_study(rt: Runtime, study_id: int) -> Scope:
    """Return what the reader may see of this study; 404 if nothing."""
    found = _scope(rt, lambda own: next((code for code, study in own.items() if study.id == study_id), None))
    if isinstance(found, NoStudy):
        abort(404)
    return found


def _scope(
    rt: Runtime, choose: Callable[[Studies], str | None], capability: Capability | None = None
) -> Scope | NoStudy:
    """Return the scope of the one study that is chosen from those that the reader's roles open."""
    grants = access.grants(capability)
    open_to = {grant.study_id for grant in grants}
    with rt.sessions.glance() as connection:
        every = studies.overviews(connection)
        own = {code: study for code, study in every.items() if None in open_to or study.id in open_to}
        code = choose(own)
        # A study is stored together with the first version of its protocol.
        if code is None or (version_id := own[code].version_id) is None:
            nowhere = NoStudy()
            page_usually_stands_in(nowhere.zone)
            return nowhere
        study = own[code]
        sites = sites_of(grants, study.id)
        codes = {key: site for key, site in study.sites.items() if sites is None or key in sites}
        site = request.args.get("site")
        found = Scope(
            study_id=study.id,
            study=code,
            studies=tuple(sorted(own)),
            sites=sites,
            site_codes=codes,
            site=site if site in codes.values() else None,
            protocol=rt.loader.protocol_of(connection, version_id),
            every_site=frozenset(study.sites),
        )
        page_usually_stands_in(found.zone)
        return found


def sites_of(grants: Iterable[Grant], study_id: int) -> Sites:
    """Return the sites of a study where one of these grants holds; None = all of them."""
    held = {grant.site_id for grant in grants if grant.study_id in (None, study_id)}
    return None if None in held else frozenset(site for site in held if site is not None)


def row_id(text: str) -> int:
    """Return the number of a row. Raise ValueError for what no database could count to."""
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError
    return number


def actor() -> Actor:
    """Return who acts on this page, for the audit trail."""
    user_id = signed_in().user_id
    return Actor(kind="staff", id=f"user:{user_id}", source="dashboard", user_id=user_id)
