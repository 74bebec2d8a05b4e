"""Who may what: every route, method and role, at one's own site and at another, walked; a route nobody knows fails."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.protocol import Role
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, inbound, messages, roles
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import queries
from pro_service.use_cases.participants.queries import Asked
from pro_service.use_cases.tick import tick
from pro_service.web import access
from pro_service.web.capabilities import GRANTED, ROLES
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

LETTERS: Mapping[str, Role] = {
    "C": "coordinator",
    "B": "assessor",
    "I": "investigator",
    "D": "data-manager",
    "M": "monitor",
    "S": "statistician",
    "A": "administrator",
}
EVERYBODY = "CBIDMSA"


@dataclass(frozen=True)
class Route:
    """How a route is asked, and whose it is.

    `{code}`, `{task}`, `{decision}`, `{text}`, `{message}`, `{query}`, `{user}`: of one's own site, then of another.
    """

    path: str
    roles: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_a_site(self) -> bool:
        return any(what in self.path for what in ("{code}", "{task}", "{decision}", "{text}", "{message}", "{query}"))


KNOWN = {
    "GET dashboard.today": Route("/", "C"),
    "GET dashboard.compliance": Route("/compliance", "CIDMS"),
    "GET dashboard.participants": Route("/participants", "CIDMS"),
    "POST dashboard.search": Route("/search", "CIDMS", {"find": "P-001"}),
    "GET dashboard.participant": Route("/participants/{code}", "CIDMS"),
    "POST dashboard.telephone": Route("/participants/{code}/telephone", "C"),
    "POST dashboard.address": Route("/participants/{code}/address", "C"),
    "POST dashboard.confirm_procedure": Route("/participants/{code}/confirm", "C"),
    "GET dashboard.enter": Route("/participants/{code}/enter/V0", "CB"),
    "POST dashboard.entered": Route("/participants/{code}/enter/V0", "CB"),
    "POST dashboard.show_answers": Route("/participants/{code}/enter/V0/show", "C"),
    "GET dashboard.task": Route("/escalations/{task}", "CIDMS"),
    "POST dashboard.acknowledge": Route("/escalations/{task}/acknowledge", "C"),
    "POST dashboard.later": Route("/escalations/{task}/later", "C", {"until": "hour"}),
    "POST dashboard.hand": Route("/escalations/{task}/hand", "C", {"to": "1"}),
    "GET dashboard.worklist": Route("/tasks", "IDM"),
    "POST dashboard.take_up": Route("/tasks/{decision}/take-up", "IDM"),
    "POST dashboard.act_on_tasks": Route("/tasks/act", "IDM", {"do": "acknowledge"}),
    "POST dashboard.end": Route("/tasks/{decision}/end", "IDM", {"reason": "nobody calls any more"}),
    "GET dashboard.today_lists": Route("/today", "C"),
    "POST dashboard.act": Route("/today/act", "C", {"do": "acknowledge"}),
    "POST dashboard.call": Route("/escalations/{task}/call", "C"),
    "POST dashboard.resolve": Route("/escalations/{task}/resolve", "C"),
    "POST dashboard.study": Route("/study", EVERYBODY),
    "GET dashboard.protocol": Route("/study", "CIDMS"),
    "GET dashboard.column_names": Route("/study/columns", "IA"),
    "POST dashboard.let_column_pass": Route(
        "/study/columns", "IA", {"column": "survey_after_intervention_complete", "reason": "a form's state"}
    ),
    "GET dashboard.texts": Route("/study/texts", "CIDMS"),
    "GET dashboard.confirmation": Route("/study/confirm", "CIDMS"),
    "POST dashboard.confirm_version": Route("/study/confirm", "I"),
    "GET dashboard.closing": Route("/study/closing", "CIDMS"),
    "POST dashboard.close_study": Route("/study/closing", "I", {"what": "lock", "reason": "all visits are over"}),
    "GET dashboard.data": Route("/data", "IDMS"),
    "GET dashboard.paper": Route("/data/paper", "IDMS"),
    "POST dashboard.take_data": Route("/data", "IDMS", {"site": "IST", "as_of": "2999-01-01T00:00"}),
    "GET dashboard.compliance_sheet": Route("/compliance.csv", "CIDMS"),
    "GET dashboard.outcomes": Route("/compliance/outcomes", "IDMS"),
    "GET dashboard.outcomes_sheet": Route("/compliance/outcomes.csv", "IDMS"),
    "GET dashboard.participants_sheet": Route("/participants.csv", "CIDMS"),
    "GET dashboard.messages": Route("/messages", "CIDMS"),
    "GET dashboard.messages_sheet": Route("/messages.csv", "CIDMS"),
    "GET dashboard.message": Route("/messages/{message}", "CIDMS"),
    "GET dashboard.inbox_page": Route("/inbox", "C"),
    "GET dashboard.inbox_text": Route("/inbox/{text}", "C"),
    "POST dashboard.inbox_deal": Route("/inbox/{text}/call", "C"),
    "GET dashboard.change": Route("/participants/{code}/change/pause", "C"),
    "POST dashboard.changed": Route("/participants/{code}/change/pause", "C"),
    "POST dashboard.show_card": Route("/participants/{code}/card", "C"),
    "POST dashboard.replace_card": Route("/participants/{code}/card/replace", "C"),
    "GET dashboard.queries": Route("/queries", "CDM"),
    "GET dashboard.ask": Route("/participants/{code}/ask/W1", "DM"),
    "POST dashboard.asked": Route("/participants/{code}/ask/W1", "DM", {"words": "Is this right?"}),
    "POST dashboard.answer_query": Route("/queries/{query}/answer", "C", {"words": "It is."}),
    "POST dashboard.close_query": Route("/queries/{query}/close", "DM"),
    "GET dashboard.cards": Route("/cards", "C"),
    "POST dashboard.card_sheets": Route("/cards/sheets", "C"),
    "POST dashboard.cards_handed": Route("/cards/handed", "C"),
    "POST dashboard.cards_back": Route("/cards/back", "C"),
    "POST dashboard.reach_test": Route("/participants/{code}/reach/begin", "C"),
    "GET dashboard.erasure": Route("/participants/{code}/erasure", "CIDMS"),
    "POST dashboard.ask_erasure": Route("/participants/{code}/erasure/withdraw", "C"),
    "POST dashboard.decide_erasure": Route("/participants/{code}/erasure/refuse", "I", {"reason": "not yet"}),
    "GET dashboard.reveal": Route("/participants/{code}/revealed", "C"),
    "POST dashboard.revealed": Route("/participants/{code}/revealed", "C"),
    "GET dashboard.revelations_log": Route("/revealed", "ID"),
    "GET dashboard.revelations_sheet": Route("/revealed.csv", "ID"),
    "GET dashboard.enrol_form": Route("/enrol", "C"),
    "POST dashboard.enrol_one": Route("/enrol", "C"),
    "GET dashboard.import_form": Route("/enrol/import", "C"),
    "POST dashboard.import_file": Route("/enrol/import", "C"),
    "GET dashboard.enrolled": Route("/participants/{code}/enrolled", "C"),
    "GET dashboard.what_if": Route("/what-if", "CIDMS"),
    "GET clinic.list": Route("/clinic", "CB"),
    "GET account.own": Route("/account", EVERYBODY),
    "POST account.password": Route("/account/password", EVERYBODY),
    "POST account.away_until": Route("/account/away", EVERYBODY),
    "POST account.texts": Route("/account/texts", EVERYBODY),
    "POST account.no_texts": Route("/account/texts/remove", EVERYBODY),
    "POST account.sessions": Route("/account/sessions", EVERYBODY),
    "GET account.factor": Route("/account/second-factor", EVERYBODY),
    "POST account.set_up": Route("/account/second-factor", EVERYBODY),
    "POST account.recovery_codes": Route("/account/recovery-codes", EVERYBODY),
    "GET auth.code": Route("/login/code", EVERYBODY),
    "POST auth.code": Route("/login/code", EVERYBODY),
    "POST auth.language": Route("/language", EVERYBODY),
    "POST auth.logout": Route("/logout", EVERYBODY),
    "GET administration.team": Route("/team", "IMA"),
    "POST administration.decide": Route("/team/roles/1/approve", "I", {"reason": "on the delegation log"}),
    "POST account.daily": Route("/account/digest", EVERYBODY),
    "GET administration.users": Route("/users", "A"),
    "GET administration.invitation": Route("/users/invite", "A"),
    "POST administration.invite": Route("/users/invite", "A"),
    "GET administration.user": Route("/users/{user}", "A"),
    "POST administration.disable": Route("/users/{user}/disable", "A"),
    "POST administration.enable": Route("/users/{user}/enable", "A"),
    "POST administration.reset-factor": Route("/users/{user}/reset-factor", "A"),
    "POST administration.send-link": Route("/users/{user}/send-link", "A"),
    "POST administration.grant": Route("/users/{user}/grant", "A", {"role": "monitor", "place": "DEMO/IST"}),
    "POST administration.revoke": Route("/users/{user}/revoke", "A", {"of": "1"}),
    "GET administration.sites": Route("/sites", "A"),
    "GET administration.system": Route("/system", "A"),
    "GET administration.audit": Route("/audit", "CIDMA"),
}
"""Written by hand after the table of roles, so that the code's own table is held against it."""


@pytest.fixture
def named(rt: Runtime, study_id: int, clock: support.SetClock) -> tuple[dict[str, object], dict[str, object]]:
    """Return what stands in the addresses: of the site IST, and of the site BER."""
    clock.now = support.at("2026-03-02 15:00")
    people = [
        support.enrolled(rt, study_id, code, date(2026, 3, 2), site=site, phone=phone)
        for code, site, phone in (("P-001", "IST", "+12025550123"), ("P-002", "BER", "+12025550124"))
    ]
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    for number, phone in enumerate(("+12025550123", "+12025550124")):
        said = {"MessageSid": f"SM{number}", "From": phone, "Body": "please stop asking me, my mother is ill"}
        receive.receive(rt, text_of(said))
    decisions = [support.to_decide(rt, who) for who in people]
    victim = support.coordinator(rt, "somebody@example.org")
    e, i, m = escalations.c, inbound.c, messages.c
    with rt.sessions.reading() as session:
        tasks = [
            session.scalars(select(e.id).where(e.participant_id == whose, e.level == "E1")).one() for whose in people
        ]
        texts = [session.scalars(select(i.id).where(i.participant_id == who)).one() for who in people]
        sms = select(m.id).where(m.channel == "sms")
        asked = [session.scalars(sms.where(m.participant_id == who)).first() for who in people]
    codes = ("P-001", "P-002")
    about = Asked("W1", "NRS-AVG", "Is this right?")
    waiting = [queries.ask(rt, support.SETUP, study_id, code, about) for code in codes]
    own, other = (
        {"code": code, "task": task, "decision": decision, "text": text, "message": message, "query": query}
        | {"user": victim}
        for code, task, decision, text, message, query in zip(
            codes, tasks, decisions, texts, asked, waiting, strict=True
        )
    )
    return own, other


def test_every_route_is_known_to_this_walk(app: Flask) -> None:
    served = {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        if not access.is_public(rule.endpoint)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(KNOWN)


def test_every_route_needs_what_its_roles_hold(app: Flask) -> None:
    for name, route in KNOWN.items():
        needed = access.needed(app, name.partition(" ")[2])
        assert needed is not None, name
        assert {LETTERS[letter] for letter in route.roles} == {role for role in ROLES if needed in GRANTED[role]}, name


@pytest.mark.parametrize("letter", list(LETTERS))
def test_a_role_reaches_its_routes_at_its_site_and_no_other(
    rt: Runtime, client: FlaskClient, named: tuple[dict[str, object], dict[str, object]], letter: str
) -> None:
    own, other = named
    site = {} if letter == "A" else {"site": "IST"}
    support.coordinator(rt, role=LETTERS[letter], **site)
    support.sign_in(client)
    csrf = support.csrf_of(client.get("/account").text)
    # Leaving comes last.
    for name, route in sorted(KNOWN.items(), key=lambda known: known[0] == "POST auth.logout"):
        method = name.partition(" ")[0]
        fields = {"csrf": csrf, **route.fields} if method == "POST" else None
        answer = client.open(route.path.format(**own), method=method, data=fields)
        if "{decision}" in route.path and letter in "DM":
            assert answer.status_code == 404, "this ladder gives them no task"
        elif letter in route.roles:
            assert answer.status_code in {200, 303, 409, 422}, (name, answer.status_code)
            assert "/login?" not in (answer.location or ""), name
        elif name == "GET dashboard.today":
            assert (answer.status_code, answer.location != "/") == (303, True), name
        else:
            assert answer.status_code == 403, (name, answer.status_code)
        if route.of_a_site:
            elsewhere = client.open(route.path.format(**other), method=method, data=fields)
            assert elsewhere.status_code == (404 if letter in route.roles else 403), name


@pytest.mark.parametrize("role", sorted(ROLES))
def test_the_first_page_leads_everybody_to_one_of_their_own(
    rt: Runtime, client: FlaskClient, study_id: int, role: str
) -> None:
    assert study_id
    support.coordinator(rt, role=role)
    support.sign_in(client)
    assert client.get("/", follow_redirects=True).status_code == 200


@pytest.mark.parametrize("role", ["investigator", "data-manager", "monitor", "statistician"])
def test_whoever_reads_sees_scores_and_neither_contact_data_nor_anything_to_press(
    rt: Runtime, client: FlaskClient, named: tuple[dict[str, object], dict[str, object]], role: str
) -> None:
    assert named
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    support.coordinator(rt, role=role)
    support.sign_in(client)
    page = client.get("/participants/P-001").text
    assert '<b class="number">7</b>' in page
    main = page.partition("<main")[2]
    assert "<form" not in main
    assert not re.search(r"\d{3}.?\d{4}|•••", main)


def test_an_assessor_sees_nothing_of_what_was_answered(
    rt: Runtime, client: FlaskClient, named: tuple[dict[str, object], dict[str, object]]
) -> None:
    assert named
    support.answered(rt, "P-001", "V0", {"NRS-AVG": "9"}, mode="clinic")
    support.coordinator(rt, role="assessor", site="IST")
    support.sign_in(client)
    form = client.get("/participants/P-001/enter/V0").text
    assert 'value="9"' not in form
    assert "Saved: version" not in form
    assert client.get("/participants/P-001/enter/W1").status_code == 404
    for path in ("/participants", "/compliance", "/participants/P-001", "/audit"):
        assert client.get(path).status_code == 403


def test_another_role_does_not_unblind_an_assessor(
    rt: Runtime, client: FlaskClient, named: tuple[dict[str, object], dict[str, object]]
) -> None:
    assert named
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    support.coordinator(rt, role="assessor")
    support.coordinator(rt, role="data-manager")
    support.sign_in(client)
    page = client.get("/participants/P-001").text
    assert "answered" in page
    assert '<b class="number">7</b>' not in page
    assert "NRS-AVG: •••" not in page
    trail = client.get("/audit?action=answer").text
    assert "•••" in trail
    assert "→ 7" not in trail


def test_a_role_at_two_sites_works_at_one_and_reads_at_the_other(
    rt: Runtime, client: FlaskClient, named: tuple[dict[str, object], dict[str, object]]
) -> None:
    assert named
    support.coordinator(rt, site="IST")
    support.coordinator(rt, role="monitor", site="BER")
    support.sign_in(client)
    assert "/participants/P-001/telephone" in client.get("/participants/P-001").text
    assert "<form" not in client.get("/participants/P-002").text.partition("<main")[2]
    csrf = support.csrf_of(client.get("/account").text)
    assert client.post("/participants/P-002/telephone", data={"csrf": csrf}).status_code == 404


def test_a_user_without_a_role_reaches_their_account_alone(rt: Runtime, client: FlaskClient) -> None:
    support.coordinator(rt)
    with rt.sessions.begin() as session:
        session.execute(roles.update().values(revoked_at=rt.clock()))
    support.sign_in(client)
    assert client.get("/account").status_code == 200
    assert client.get("/").status_code == 403
