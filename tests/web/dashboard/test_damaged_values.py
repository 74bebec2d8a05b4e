"""What is encrypted and damaged says so, with a code, and hides nothing else; the doctor finds it."""

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from pro_service.core.problems import words
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store.schema import entry_codes, former_telephones, inbound, participants, telephone_keys
from pro_service.store.vault import UnreadableError
from pro_service.use_cases import doctor
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.reseal import reseal
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import STANDS, ChangeForm
from pro_service.use_cases.tasks import calls
from tests import support

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CODE = "P-001"
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a bit flipped": lambda cipher: cipher[:-1] + bytes([cipher[-1] ^ 1]),
    "cut short": lambda cipher: cipher[:5],
    "nothing left": lambda _: b"",
}


@pytest.fixture
def person(rt: Runtime, study_id: int, client: FlaskClient) -> int:
    """Return the id of a participant whose card is printed; a coordinator is signed in."""
    row_id = support.enrolled(rt, study_id, CODE, date(2026, 3, 2), phone="+12025550123", channel="sms-link")
    support.with_card(rt, study_id, CODE)
    support.coordinator(rt)
    support.sign_in(client)
    return row_id


def damage(rt: Runtime, column: str, how: str) -> None:
    table = entry_codes if column == "code" else participants
    with rt.sessions.begin() as session:
        cipher = session.scalars(select(table.c[column])).one()
        session.execute(update(table).values({column: DAMAGE[how](cipher)}))


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_number_that_nobody_can_read_hides_nothing_else_of_the_page(
    rt: Runtime, client: FlaskClient, settings: Settings, person: int, how: str, language: str
) -> None:
    damage(rt, "phone", how)
    page = client.get(f"/participants/{CODE}")
    fields = {"csrf": support.csrf_of(page.text), "language": language}
    client.post("/language", data=fields)
    shown = client.post(f"/participants/{CODE}/telephone", data=fields)
    assert shown.status_code == 500
    assert "value_unreadable" in shown.text
    assert {"en": "cannot be decrypted", "tr": "çözülemiyor"}[language] in shown.text
    assert f"{CODE} · DEMO" in shown.text
    assert "W1" in shown.text
    found = next(one for one in doctor.examine(settings) if one.part == "keys")
    assert (found.colour, f"participants.phone {person}" in found.finding) == ("red", True)


@pytest.mark.parametrize("column", ["code", "data_key"])
def test_a_card_or_a_key_that_nobody_can_read_says_so(
    rt: Runtime, client: FlaskClient, settings: Settings, person: int, column: str
) -> None:
    assert person
    damage(rt, column, "a bit flipped")
    token = support.csrf_of(client.get(f"/participants/{CODE}").text)
    card = client.post(f"/participants/{CODE}/card", data={"csrf": token})
    assert card.status_code == 500
    assert {"code": "value_unreadable", "data_key": "data_key_wrong"}[column] in card.text
    assert "W1" in card.text
    found = next(one for one in doctor.examine(settings) if one.part == "keys")
    assert found.colour == "red"
    assert {"code": "entry_codes.code", "data_key": f"participants.data_key {person}"}[column] in found.finding


def test_a_key_that_was_taken_out_too_early_is_named(rt: Runtime, settings: Settings, person: int) -> None:
    assert person
    with rt.sessions.begin() as session:
        session.execute(update(participants).values(data_key=b"k0:" + bytes(60)))
    found = next(one for one in doctor.examine(settings) if one.part == "keys")
    assert (found.colour, "DATA_KEYS has no key 'k0'" in found.finding) == ("red", True)


def test_a_command_has_the_code_and_never_the_value(rt: Runtime, study_id: int, person: int) -> None:
    damage(rt, "phone", "cut short")
    with pytest.raises(UnreadableError) as caught:
        calls.show_telephone(rt, support.SETUP, study_id, CODE)
    assert caught.value.problem.code == "value_unreadable"
    assert words(caught.value.problem)[0].startswith(f"participants.phone of record {person} cannot be decrypted")


def test_a_number_that_nobody_can_read_can_be_entered_again(rt: Runtime, study_id: int, person: int) -> None:
    assert person
    damage(rt, "phone", "a bit flipped")
    form = ChangeForm("phone", {"number": "+12025550188", "consent": STANDS}, "the number was damaged")
    shown = change.preview(rt, study_id, CODE, form)
    assert ("phone", "•••") in [fact[:2] for fact in shown.facts]
    change.change(rt, support.SETUP, study_id, CODE, form)
    assert calls.show_telephone(rt, support.SETUP, study_id, CODE) == "+12025550188"
    with rt.sessions.reading() as session:
        assert len(session.scalars(select(former_telephones.c.phone)).all()) == 1


@pytest.mark.usefixtures("person")
def test_a_text_from_a_telephone_whose_key_is_damaged_is_kept_and_read(rt: Runtime, settings: Settings) -> None:
    def write(sid: str, words: str) -> tuple[str | None, int | None]:
        receive.receive(rt, text_of({"MessageSid": sid, "From": "+12025550123", "Body": words}))
        with rt.sessions.reading() as session:
            newest = select(inbound.c.reading, inbound.c.telephone_key_id).order_by(inbound.c.id.desc())
            reading, key = session.execute(newest).first() or (None, None)
            return reading, key

    assert write("SM1", "HELP")[0] == "Help"
    with rt.sessions.begin() as session:
        kept = session.scalars(select(telephone_keys.c.key)).one()
        session.execute(update(telephone_keys).values(key=DAMAGE["a bit flipped"](kept)))
    # Sealed with the installation's key, and left so: the doctor says that, and which key is damaged.
    assert write("SM2", "STOP") == ("OptOut", None)
    assert reseal(rt).unreadable == 1
    said = [one.finding for one in doctor.examine(settings) if one.part == "keys"]
    assert any("telephone_keys" in one for one in said)
    assert any("sealed with the installation's key" in one for one in said)
