"""Roles that an administrator gives: nothing before an investigator approves, never one's own, and all is audited."""

from dataclasses import dataclass, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, roles
from pro_service.store.staff import accounts as store
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import accounts, administration, approvals
from pro_service.web.app import create_app
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

LEAD, ADMIN, NEW = "lead@example.org", "admin@example.org", "new@example.org"


@dataclass(slots=True)
class Hospital:
    """An investigator, an administrator, and somebody who is to get a role."""

    rt: Runtime
    lead: int
    admin: int
    new: int

    def give(self, role: str = "coordinator", site: str | None = "IST", study: str | None = "DEMO", to: int = 0) -> int:
        """The administrator gives a role; gives its row id."""
        assert administration.grant(self.rt, accounts.staff(self.admin), to or self.new, role, study, site)
        with self.rt.sessions.reading() as session:
            return session.scalars(select(roles.c.id).order_by(roles.c.id.desc())).first() or 0

    def decide(self, role_id: int, by: int, reason: str = "on the delegation log", *, approved: bool = True) -> bool:
        return approvals.decide(self.rt, accounts.staff(by), role_id, reason, approved=approved)

    def held(self) -> list[str]:
        with self.rt.sessions.reading() as session:
            return [grant.role for grant in store.grants(session, self.new)]


@pytest.fixture
def hospital(rt: Runtime, study_id: int) -> Hospital:
    """Return one with an approved investigator."""
    assert study_id
    lead = support.coordinator(rt, LEAD, role="investigator", study="DEMO")
    admin = support.coordinator(rt, ADMIN, role="administrator")
    new = support.coordinator(rt, NEW, role="monitor", study="DEMO")
    with rt.sessions.begin() as session:
        session.execute(roles.update().where(roles.c.user_id == new).values(revoked_at=rt.clock()))
    return Hospital(rt, lead, admin, new)


@databases.ON_BOTH
def test_a_role_gives_nothing_before_an_investigator_approves_it(hospital: Hospital, client: FlaskClient) -> None:
    waiting = hospital.give()
    support.sign_in(client, NEW)
    assert hospital.held() == []
    assert client.get("/participants").status_code == 403
    assert hospital.decide(waiting, hospital.lead)
    assert hospital.held() == ["coordinator"]
    assert client.get("/participants").status_code == 200
    assert not hospital.decide(waiting, hospital.lead, approved=False), "decided once"


@databases.ON_BOTH
def test_what_was_refused_gives_nothing_and_can_be_given_again(hospital: Hospital) -> None:
    refused = hospital.give()
    assert hospital.decide(refused, hospital.lead, "not on the delegation log", approved=False)
    assert hospital.held() == []
    assert not hospital.decide(refused, hospital.lead)
    assert hospital.decide(hospital.give(), hospital.lead)
    assert hospital.held() == ["coordinator"]


@databases.ON_BOTH
def test_nobody_approves_their_own_role_nor_one_of_elsewhere(hospital: Hospital) -> None:
    own = hospital.give("data-manager", to=hospital.lead)
    with pytest.raises(RejectedError):
        hospital.decide(own, hospital.lead)
    of_site = support.coordinator(hospital.rt, "site@example.org", role="investigator", study="DEMO", site="BER")
    for who in (of_site, hospital.admin, hospital.new):
        with pytest.raises(KeyError):
            hospital.decide(own, who)
    with pytest.raises(KeyError):
        hospital.decide(hospital.give("assessor", None), of_site)
    assert hospital.decide(hospital.give("assessor", "BER"), of_site)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_decision_needs_a_reason(hospital: Hospital, reason: str) -> None:
    waiting = hospital.give()
    with pytest.raises(RejectedError):
        hospital.decide(waiting, hospital.lead, reason)
    assert hospital.held() == []


@databases.ON_BOTH
def test_the_first_investigator_and_administrators_need_nobody(rt: Runtime, study_id: int) -> None:
    assert study_id
    admin = support.coordinator(rt, ADMIN, role="administrator")
    somebody = support.coordinator(rt, NEW, role="administrator")
    first = Hospital(rt, 0, admin, somebody)
    first.give("investigator", None)
    assert first.held() == ["administrator", "investigator"]
    # Ending that one does not make the next one first.
    with rt.sessions.begin() as session:
        session.execute(roles.update().where(roles.c.role == "investigator").values(revoked_at=rt.clock()))
    first.give("investigator", None)
    with pytest.raises(RejectedError):
        first.give("investigator", None, None)
    assert first.held() == ["administrator"]


def test_a_role_for_every_study_needs_somebody_who_could_approve_it(hospital: Hospital) -> None:
    with pytest.raises(RejectedError) as error:
        hospital.give("monitor", None, None)
    assert error.value.faults[0].path == "study"
    everywhere = support.coordinator(hospital.rt, "all@example.org", role="investigator")
    waiting = hospital.give("monitor", None, None)
    with pytest.raises(KeyError):
        hospital.decide(waiting, hospital.lead)
    assert hospital.decide(waiting, everywhere)


@databases.ON_BOTH
def test_the_trail_says_how_each_role_came_to_hold(hospital: Hospital) -> None:
    hospital.decide(hospital.give(), hospital.lead)
    hospital.decide(hospital.give("monitor"), hospital.lead, "not on the log", approved=False)
    a = audit_trail.c
    with hospital.rt.sessions.reading() as session:
        statement = select(a.action, a.actor, a.changes, a.reason).where(a.entity == "role").order_by(a.id)
        rows = [tuple(row) for row in session.execute(statement)]
    assert [(row[0], row[3]) for row in rows[3:]] == [
        ("grant_role", None),
        ("approve_role", "on the delegation log"),
        ("grant_role", None),
        ("refuse_role", "not on the log"),
    ]
    assert all('"approval":[null,"command_line"]' in row[2] for row in rows[:3])
    assert '"approval":[null,"pending"]' in rows[3][2]
    assert rows[4][1] == f"user:{hospital.lead}"


def test_investigators_hear_of_it_and_nobody_is_named(hospital: Hospital) -> None:
    letters = Telephones(kind="mail-")
    mailing = replace(hospital, rt=replace(hospital.rt, mail=letters))
    waiting = mailing.give()
    mailing.decide(waiting, mailing.lead)
    deliver(mailing.rt)
    # Senders work side by side: two mails of one delivery arrive in any order.
    assert sorted(letter.to for letter in letters.sent) == [LEAD, NEW]
    [to_lead] = [letter for letter in letters.sent if letter.to == LEAD]
    assert "/team" in to_lead.body
    assert NEW not in to_lead.body + (to_lead.subject or "")


def test_the_team_page_shows_what_waits_and_takes_the_decision(hospital: Hospital, app: Flask) -> None:
    waiting = hospital.give()
    hospital.give("monitor", None, to=hospital.lead)
    desk, office = app.test_client(), app.test_client()
    support.sign_in(desk, LEAD)
    support.sign_in(office, ADMIN)
    page = desk.get("/team").text
    assert f"/team/roles/{waiting}/approve" in page
    assert "Your own: another investigator decides." in page
    assert "/approve" not in office.get("/team").text
    assert "waits for an investigator" in office.get(f"/users/{hospital.new}").text
    fields = {"csrf": support.csrf_of(page), "reason": ""}
    answer = desk.post(f"/team/roles/{waiting}/approve", data=fields)
    assert (answer.status_code, "Say in a few words why." in answer.text) == (422, True)
    fields["reason"] = "on the delegation log"
    done = desk.post(f"/team/roles/{waiting}/approve", data=fields, follow_redirects=True)
    assert "Approved: the role holds from now on." in done.text
    again = desk.post(f"/team/roles/{waiting}/refuse", data=fields, follow_redirects=True)
    assert "That was decided before; nothing was changed." in again.text
    assert desk.post(f"/team/roles/{2**64}/approve", data=fields).status_code == 303


def test_a_role_that_waits_brings_nobody_in_by_another_door(rt: Runtime, hospital: Hospital) -> None:
    hospital.give("investigator", None)
    assert hospital.held() == []
    other = create_app(rt)
    reader = other.test_client()
    support.sign_in(reader, NEW)
    assert reader.get("/team").status_code == 403
    assert "waits for an investigator" in reader.get("/account").text
    other.extensions["intake"].close()
