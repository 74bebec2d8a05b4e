"""The card: a code for everybody whose card is shown, printed again as it was, replaced when it was lost."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from pro_service.core import card_code
from pro_service.core.problems import RejectedError, words
from pro_service.runtime import Runtime
from pro_service.store.participants import card_codes
from pro_service.store.schema import audit_trail, links, participants
from pro_service.store.schema import entry_codes as table
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import card, card_entry, survey
from pro_service.use_cases.participants.confirm import confirm
from tests import support
from tests.old_cards import old_card
from tests.peers import databases
from tests.support import SETUP
from tests.use_cases.delivery.test_faults_stay_alone import Mailbox

PROCEDURE = date(2026, 3, 2)
OPEN = support.at("2026-03-09 10:00")
HOME = "203.0.113.7"


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return somebody who is asked by text and answers with the card."""
    return support.enrolled(rt, study_id, "P-001", PROCEDURE, channel="sms-card", phone="+905321234567")


def actions(rt: Runtime) -> list[tuple[str, str | None, str]]:
    with rt.sessions.reading() as session:
        rows = session.execute(select(audit_trail).order_by(audit_trail.c.id)).all()
    return [
        (row.action, support.typed(rt, row.reason), row.changes)
        for row in rows
        if row.action not in ("load_protocol", "enrol")
    ]


def plain(found: card.Card) -> str:
    return card_code.read_code(found.code)


@databases.ON_BOTH
def test_a_code_exists_once_its_card_was_looked_at_and_everybody_has_one_of_their_own(
    rt: Runtime, study_id: int
) -> None:
    rows = [f"P-{number:03},IST,2026-03-02,tr,," for number in range(300)]
    data = "\n".join(["participant,site,procedure_date,language,messaging_consent,phone", *rows]).encode()
    assert enrol.enrol_file(rt, SETUP, study_id, data).enrolled == 300
    codes = {card.show(rt, SETUP, study_id, f"P-{number:03}").code for number in range(0, 300, 50)}
    assert len(codes) == 6
    with rt.sessions.reading() as session:
        indices = session.scalars(select(table.c.code_index)).all()
    assert len(set(indices)) == 6, "nobody has a code that is on no card"


def test_a_card_holds_what_is_needed_and_nothing_about_the_person(rt: Runtime, study_id: int, participant: int) -> None:
    found = card.show(rt, SETUP, study_id, "P-001")
    assert found.languages == ("tr", "en")
    assert found.code[4] == " "
    assert found.address == f"{rt.settings.public_base_url}/k"
    assert [day.isoformat() for _, day in found.days if day] == ["2026-03-09", "2026-04-02", "2026-06-02"]
    assert [label["tr"] for label, _ in found.days] == ["1. hafta", "1. ay", "3. ay"]
    page = card.document(found)
    assert found.code in page
    assert "9 Mart 2026 Pazartesi" in page
    assert "Monday 9 March 2026" in page
    assert "+1 202 555 0199" in page
    assert not [word for word in ("532", "1234567", "pain", "ağrı") if word in page.lower()]
    assert participant


def test_the_picture_carries_the_code_where_no_server_sees_it(rt: Runtime, study_id: int, participant: int) -> None:
    found = card.show(rt, SETUP, study_id, "P-001")
    address, _, hidden = found.scanned.partition("#")
    code, _, mark = hidden.partition(".")
    assert (address, code) == (found.address, plain(found))
    assert card_codes.is_marked(rt.vault, code, mark)
    assert not card_codes.is_marked(rt.vault, card_code.code_of(1), mark)
    assert participant


@pytest.mark.shows("card: printed again")
@databases.ON_BOTH
def test_a_card_can_be_printed_again_and_every_look_is_kept(rt: Runtime, study_id: int, participant: int) -> None:
    assert card.show(rt, SETUP, study_id, "P-001") == card.show(rt, SETUP, study_id, "P-001")
    assert [action for action, *_ in actions(rt)] == ["make_code", "view_card", "view_card"]
    assert participant


@pytest.mark.shows("card: printed again")
def test_no_code_is_written_in_clear(rt: Runtime, study_id: int, participant: int) -> None:
    code = plain(card.show(rt, SETUP, study_id, "P-001"))
    with rt.sessions.reading() as session:
        row = session.execute(select(table)).one()
        trail = " ".join(session.scalars(select(audit_trail.c.changes)).all())
    assert code.encode() not in row.code
    assert code.encode() not in row.code_index
    assert code not in trail
    assert row.participant_id == participant


@databases.ON_BOTH
def test_a_replaced_code_ends_with_everything_it_opened(
    rt: Runtime, study_id: int, clock: support.SetClock, participant: int
) -> None:
    old = card.show(rt, SETUP, study_id, "P-001")
    support.link_to(rt, participant, "W1", "the-link-of-a-text")
    clock.now = OPEN
    entered = card_entry.enter(rt, old.code, (), HOME)
    assert entered is not None
    assert entered.token
    new = card.replace(rt, SETUP, study_id, "P-001", "card lost in a taxi")
    assert new.code != old.code
    assert card.show(rt, SETUP, study_id, "P-001").code == new.code
    assert card_entry.enter(rt, old.code, (), HOME) is None
    assert card_entry.enter(rt, old.code, (entered.mark,), HOME) is None
    with rt.sessions.reading() as session:
        assert len(session.scalars(select(links.c.id)).all()) == 1
    again = card_entry.enter(rt, new.code, (), HOME)
    assert again is not None
    assert again.token not in ("", entered.token)
    assert ("replace_code", "card lost in a taxi") in [(action, reason) for action, reason, _ in actions(rt)]


def test_a_code_is_not_replaced_without_a_reason(rt: Runtime, study_id: int, participant: int) -> None:
    with pytest.raises(RejectedError):
        card.replace(rt, SETUP, study_id, "P-001", "  ")
    assert actions(rt) == []
    assert participant


def test_nobodys_card_and_one_of_another_site_are_not_there(rt: Runtime, study_id: int, participant: int) -> None:
    for code, sites in (("P-999", None), ("P-001", frozenset({participant}))):
        with pytest.raises(KeyError):
            card.show(rt, SETUP, study_id, code, sites)
    assert actions(rt) == []


def test_there_is_no_card_of_somebody_whose_data_was_erased(rt: Runtime, study_id: int, participant: int) -> None:
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == participant).values(data_key=None))
    with pytest.raises(RejectedError) as caught:
        card.show(rt, SETUP, study_id, "P-001")
    assert "erased" in words(caught.value.faults[0])[0]


def test_a_site_has_a_card_to_be_filled_in_by_hand(rt: Runtime, study_id: int) -> None:
    found = card.blank(rt, study_id, "BER")
    assert (found.code, found.scanned) == ("", found.address)
    page = card.document(found)
    assert page.count("card-line") >= 2 * (2 + len(found.days))
    with pytest.raises(RejectedError) as caught:
        card.blank(rt, study_id, "NOWHERE")
    assert "BER" in words(caught.value.faults[0])[1]


def test_a_changed_procedure_date_is_on_the_next_print(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 4), messaging_consent="2026-03-02", channel="sms-card")
    before = card.show(rt, SETUP, study_id, "P-002")
    clock.now = support.at("2026-03-06 10:00")
    confirm(rt, SETUP, study_id, "P-002", date(2026, 3, 5))
    after = card.show(rt, SETUP, study_id, "P-002")
    assert after.code == before.code
    assert next(day for _, day in after.days if day) == date(2026, 3, 12)


# --- cards of an earlier release -------------------------------------------------------------------------------------


def signs(rt: Runtime) -> list[int]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(table.c.signs).order_by(table.c.signs)))


def handed_at(rt: Runtime) -> object:
    with rt.sessions.reading() as session:
        return session.scalars(select(participants.c.card_handed_at)).one()


def entered(rt: Runtime, code: str) -> card_entry.Entry | None:
    return card_entry.enter(rt, code, (), HOME)


@pytest.mark.shows("card: printed again")
@databases.ON_BOTH
def test_an_old_card_works_until_the_longer_code_printed_for_it_is_used(
    rt: Runtime, study_id: int, clock: support.SetClock, participant: int
) -> None:
    old = old_card(rt, study_id, "P-001")
    clock.now = OPEN
    assert entered(rt, old) is not None
    assert handed_at(rt) == OPEN
    new = card.show(rt, SETUP, study_id, "P-001")
    assert (len(plain(new)), new.beside, new.handed_at) == (12, True, None)
    assert card.show(rt, SETUP, study_id, "P-001").code == new.code
    before = entered(rt, old)
    assert before is not None
    assert before.state == "form"
    assert handed_at(rt) is None, "the new card is still to be handed over"
    assert signs(rt) == [8, 12]
    after = entered(rt, new.code)
    assert after is not None
    assert after.token not in ("", before.token)
    assert signs(rt) == [12]
    assert handed_at(rt) == OPEN
    assert survey.open_form(rt, before.token) is None, "what the old card opened ends with it"
    with pytest.raises(card_code.CodeError):
        entered(rt, old)
    assert not card.show(rt, SETUP, study_id, "P-001").beside
    assert participant


def test_a_new_card_that_is_tried_before_a_window_opens_ends_no_old_one(
    rt: Runtime, study_id: int, clock: support.SetClock, participant: int
) -> None:
    old = old_card(rt, study_id, "P-001")
    new = card.show(rt, SETUP, study_id, "P-001")
    clock.now = support.at("2026-03-05 10:00")
    found = entered(rt, new.code)
    assert found is not None
    assert found.state == "later"
    clock.now = OPEN
    assert entered(rt, old) is not None
    assert participant


def test_a_lost_card_ends_with_the_old_one_before_it(
    rt: Runtime, study_id: int, clock: support.SetClock, participant: int
) -> None:
    old, first = old_card(rt, study_id, "P-001"), card.show(rt, SETUP, study_id, "P-001")
    clock.now = OPEN
    opened = entered(rt, old)
    assert opened is not None
    new = card.replace(rt, SETUP, study_id, "P-001", "card lost in a taxi")
    assert (len(plain(new)), new.beside) == (12, False)
    assert signs(rt) == [12]
    assert entered(rt, first.code) is None
    assert survey.open_form(rt, opened.token) is None
    assert participant


def test_a_lost_old_card_is_replaced_by_a_long_code(rt: Runtime, study_id: int, participant: int) -> None:
    old_card(rt, study_id, "P-001")
    card.hand_over(rt, SETUP, study_id, ["P-001"])
    new = card.replace(rt, SETUP, study_id, "P-001", "card lost in a taxi")
    assert (len(plain(new)), new.beside, signs(rt)) == (12, False, [12])
    assert new.handed_at is None
    assert participant


def test_a_card_promises_a_message_to_whoever_is_asked_by_one_and_a_call_to_others(rt: Runtime, study_id: int) -> None:
    mailing = replace(rt, mail=Mailbox())
    by_mail = {"email": "ada@example.org", "email_consent": "2026-03-01", "channel": "email-link"}
    support.enrolled(mailing, study_id, "P-002", PROCEDURE, messaging_consent="", phone="+905321234568", **by_mail)
    support.enrolled(mailing, study_id, "P-003", PROCEDURE, messaging_consent="", phone="+905321234569")
    mailed, called = (card.document(card.show(mailing, SETUP, study_id, code)) for code in ("P-002", "P-003"))
    assert ("size mesaj göndeririz" in mailed, "sizi ararız" in mailed) == (True, False)
    assert ("A message tells you" in called, "We call you" in called) == (False, True)
    codes = [card.show(mailing, SETUP, study_id, code).code for code in ("P-002", "P-003")]
    later = [card_entry.enter(mailing, code, [], HOME) for code in codes]
    assert [one and one.asked for one in later] == [True, False]
