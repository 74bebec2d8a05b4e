"""The page on which a study is closed, its data are locked, and unlocked."""

from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from tests import support
from tests.web.conftest import OPEN

PAGE = "/study/closing"


def test_an_investigator_closes_locks_and_unlocks_with_a_reason(
    rt: Runtime, client: FlaskClient, study_id: int, participant: int, clock: support.SetClock
) -> None:
    assert study_id
    assert participant
    assert clock.now == OPEN
    support.coordinator(rt, role="investigator", language="en")
    support.sign_in(client)
    page = client.get(PAGE).text
    assert "The study is open." in page

    def send(what: str, reason: str) -> tuple[int, str]:
        form = {"csrf": support.csrf_of(client.get(PAGE).text), "what": what, "reason": reason}
        answer = client.post(PAGE, data=form)
        return answer.status_code, client.get(PAGE).text if answer.status_code == 303 else answer.text

    assert send("close", " ")[0] == 422
    assert send("reopen", "a word nobody knows")[0] == 404
    status, said = send("lock", "too early")
    assert (status, "the study is not closed" in said) == (422, True)
    status, said = send("close", "the last visit is over")
    assert (status, "Its data are not locked." in said, "The study has been closed since" in said) == (303, True, True)
    assert "Its data have been locked since" in send("lock", "all queries are answered")[1]
    assert "Its data are not locked." in send("unlock", "one more query")[1]
    assert send("erase", "as asked")[0] == 422, "without a day"
    form = {
        "csrf": support.csrf_of(client.get(PAGE).text),
        "what": "erase",
        "reason": "as asked",
        "after": "2031-05-04",
    }
    assert client.post(PAGE, data=form).status_code == 303
    assert "Contact data are erased after" in client.get(PAGE).text


def test_others_see_how_the_study_stands_and_no_form(rt: Runtime, client: FlaskClient, study_id: int) -> None:
    assert study_id
    support.coordinator(rt, language="en")
    support.sign_in(client)
    page = client.get(PAGE).text
    assert "An investigator of all sites of this study can close it" in page
    assert "<textarea" not in page
