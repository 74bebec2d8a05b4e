"""Every word that a person reads on a page is said in their language: pages in a language in which none is English."""

import re
from collections.abc import Iterator
from datetime import date
from gettext import NullTranslations
from html.parser import HTMLParser

import pytest
from babel import Locale
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.participants.cases import zone_of
from pro_service.store.schema import escalations, inbound, messages
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import entry, queries
from pro_service.use_cases.participants.change_form import ACTIONS
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.participants.queries import Asked
from pro_service.use_cases.tick import beat, tick
from pro_service.web import i18n
from pro_service.web.dashboard.vocabulary import vocabulary
from pro_service.wording import place_of
from tests import support
from tests.telephones import Telephones
from tests.web.test_roles import KNOWN, LETTERS

KEPT = re.compile(r"%\(\w+\)[sd]|%%|\{[^}]*\}|<[^>]+>|&\w+;")
WIDE = {ord(narrow): ord(narrow) + 0xFEE0 for narrow in map(chr, (*range(65, 91), *range(97, 123)))}
"""Latin letters to their wide forms: what still stands in plain ones was not translated."""
READ_ALOUD = ("title", "aria-label", "placeholder", "alt", "data-label")
PROPER = frozenset(("PRO", "Service", "CSV", "SMS", "DEMO", "English", "GSM", "UCS", "SQLite", "Twilio", "Browser"))
"""Names, which no language changes."""
SIGNS = re.compile(r"[\w.]+@[\w.]+|https?://\S+|\b[A-Z2-7]{4}\b|\b[0-9a-f]{12}\b")
"""Addresses, a key as it is typed, a digest."""


class Wide(NullTranslations):
    """A language that says everything in wide letters."""

    def gettext(self, message: str) -> str:
        found, at = [], 0
        for kept in KEPT.finditer(message):
            found += [message[at : kept.start()].translate(WIDE), kept[0]]
            at = kept.end()
        return "".join((*found, message[at:].translate(WIDE)))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


class Reading(HTMLParser):
    """What somebody reads or hears of a page; not what is quoted in a language of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        quoted = (tag != "html" and "lang" in given) or tag in ("style", "script", "code", "kbd")
        quoted = quoted or any(silent for _, silent in self._open)
        if not quoted:
            self.said += [given[name] or "" for name in READ_ALOUD if name in given]
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self._open.append((tag, quoted))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(silent for _, silent in self._open):
            self.said.append(data)


@pytest.fixture
def wide(app: Flask) -> Iterator[None]:
    """Put wide letters in the place of Turkish."""
    app.extensions[i18n.CATALOGUES]["tr"] = Wide()
    vocabulary.cache_clear()
    yield
    vocabulary.cache_clear()


@pytest.fixture
def named(rt: Runtime, study_id: int, clock: support.SetClock) -> dict[str, object]:
    """Return what stands in addresses: somebody who was asked, wrote, is called, and whose date was changed."""
    object.__setattr__(rt, "texts", {"sms": Telephones(clock=clock)})
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", baseline_nrs_avg="6")
    other = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone="+12025550124")
    for code, phone in (("P-003", "+905321234567"), ("P-004", "+905321234568"), ("P-005", "")):
        support.enrolled(rt, study_id, code, date(2026, 3, 2), channel="sms-card", phone=phone)
    support.with_card(rt, study_id, "P-004")
    for moment in ("2026-03-09 10:00", "2026-03-10 18:30", "2026-03-11 11:00"):
        clock.now = support.at(moment)
        tick(rt)
        deliver(rt)
    receive.receive(rt, text_of({"MessageSid": "SM1", "From": "+12025550123", "Body": "7-8 ?!"}))
    filled = Filled({"NRS-AVG": "3", "PGIC": "2"}, reason="7", mode="telephone")
    entry.enter(rt, support.SETUP, study_id, "P-001", "W1", filled)
    tick(rt)
    beat(rt, "tick")
    support.to_decide(rt, other)
    about = Asked("W1", "NRS-AVG", "7?")
    asked = [queries.ask(rt, support.SETUP, study_id, code, about) for code in ("P-001", "P-002")]
    queries.answer(rt, support.SETUP, study_id, asked[0], "7!")
    e, i, m = escalations.c, inbound.c, messages.c
    with rt.sessions.reading() as session:
        task = session.scalars(select(e.id).where(e.participant_id == other, e.level == "E1")).first()
        text = session.scalars(select(i.id)).first()
        message = session.scalars(select(m.id).where(m.channel == "sms")).first()
    return {"code": "P-001", "task": task, "text": text, "message": message, "user": 1}


def data_words(rt: Runtime, study_id: int) -> frozenset[str]:
    """Words of the study itself in Turkish, and of the calendar and the map."""
    with rt.sessions.reading() as session:
        protocol = studies.newest_protocol(session, rt.loader, study_id)
    assert protocol is not None
    locale = Locale("tr")
    said = [protocol.title, *(f"{site.code} {site.name} {site.zone}" for site in protocol.sites.values())]
    said += [place_of(zone_of(site.zone), "tr") for site in protocol.sites.values()]
    said += [f"{point.code} {point.label['tr']}" for point in protocol.time_points]
    for item in protocol.items.values():
        said += [item.id, item.short["tr"], item.question["tr"], *item.choices.get("tr", ())]
    for words in (locale.months["format"], locale.days["format"]):
        said += [*words["wide"].values(), *words["abbreviated"].values()]
    said += map(str, locale.territories.values())
    return frozenset(re.findall(r"[A-Za-z]{3,}", " ".join(said)))


def plain(page: str, known: frozenset[str]) -> set[str]:
    """The words of a page that stand in plain letters and are nobody's name."""
    reading = Reading()
    reading.feed(page.replace("<wbr>", ""))  # a line may end there, a word does not
    said = SIGNS.sub("", " ".join(reading.said))
    words = set(re.findall(r"[A-Za-z]{3,}", said))
    return words - known - PROPER


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("role", ["coordinator", "investigator", "data-manager", "administrator", "assessor"])
def test_no_page_says_a_word_that_is_not_translated(
    rt: Runtime, client: FlaskClient, study_id: int, named: dict[str, object], role: str
) -> None:
    letter = next(letter for letter, name in LETTERS.items() if name == role)
    support.coordinator(rt, role=role, language="tr")
    support.sign_in(client)
    known, found = data_words(rt, study_id), []
    # Files are for programs, and the audit trail shows records under the names they have.
    pages = [route for name, route in KNOWN.items() if name.startswith("GET") and letter in route.roles]
    paths = [page.path.format_map(named) for page in pages if not page.path.endswith((".csv", "/audit"))]
    if role == "coordinator":
        paths += [f"/participants/P-001/change/{action}" for action in ACTIONS]
    for path in (*paths, "/participants/P-999", "/compliance/outcomes"):
        answer = client.get(path)
        if not answer.location:
            found += [f"{path}: {word}" for word in sorted(plain(answer.text, known))]
    assert found == []
