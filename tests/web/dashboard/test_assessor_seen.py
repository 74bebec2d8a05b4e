"""An assessor in a real Chromium looks everywhere, and learns no score, no typed word, and nothing entered before."""

import re
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Error, Page

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import revelations
from pro_service.use_cases.participants.revelations import Noted
from pro_service.use_cases.staff.accounts import staff
from tests import support
from tests.peers.chromium import another_page, faults

ASSESSOR = "blind@example.org"
SECRETS = re.compile(
    r"zeytin|2025550123|•••|<b class=\"number\">\d{1,2}<|type=\"number\"[^>]* value=\"\d|Saved: version|"
    r"Noted so far|revealed the|version \d|NRS-NOW: \d|: (answered|declined)"
)
"""A word of the participant's own, a number, a score or that there is one; of all that is nothing theirs."""


@pytest.fixture
def study(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a study in which P-001 was measured by somebody else, answered, wrote, and revealed the treatment."""
    clock.now = support.at("2026-03-02 15:20")
    phone = {"phone": "+12025550123", "channel": "sms-reply"}
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), procedure_time="14:30", **phone)
    support.answered(rt, "P-001", "V0", {"NRS-AVG": "9", "NRS-NOW": "8"}, mode="clinic")
    support.answered(rt, "P-001", "V1H", {"NRS-NOW": "6", "PGIC": "2"}, mode="clinic")
    receive.receive(rt, text_of({"MessageSid": "SM1", "From": phone["phone"], "Body": "please stop asking me, zeytin"}))
    lead = support.coordinator(rt, "lead@example.org", role="coordinator")
    revision = support.loaded(rt, who).case.participant.revision
    revelations.note(rt, staff(lead), Noted(study_id, "P-001", None, "visit", revision))
    support.coordinator(rt, ASSESSOR, role="assessor", site="IST", language="en")
    return study_id


def everywhere(app: Flask) -> list[str]:
    """Every address that is read, of P-001 where it is about somebody; with what a curious person adds."""
    values = {"code": "P-001", "window": "V0", "action": "pause"}
    found = ["/?site=IST", "/participants?search=P-001", "/messages?participant=P-001", "/audit?participant=P-001"]
    for rule in app.url_map.iter_rules():
        public = rule.endpoint.partition(".")[0] in {
            "static",
            "survey",
            "card",
            "webhooks",
            "health",
            "welcome",
            "guide",
        }
        if "GET" in (rule.methods or ()) and not public:
            found.append(re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda name: values.get(name[1], "1"), rule.rule))
    return found


def both_values(page: Page, address: str) -> list[str]:
    """Enter the value that stands there, and another: the form is empty before, and what is said must be the same."""
    told = []
    for value in ("9", "3"):
        page.goto(f"{address}/participants/P-001/enter/V0")
        assert [one.input_value() for one in page.locator("input[type=number]").all()] == ["", ""]
        page.fill("input[name='NRS-AVG']", value)
        with another_page(page):
            page.get_by_role("button", name="Save the answers").click()
        told.append(page.locator("main").inner_text())
    return told


def test_an_assessor_finds_nothing_wherever_they_look(
    page: Page, browser_context: BrowserContext, app: Flask, address: str, study: int
) -> None:
    assert study
    page.goto(f"{address}/login")
    page.fill("#email", ASSESSOR)
    page.fill("#password", support.PASSWORD)
    with another_page(page):
        page.keyboard.press("Enter")
    assert page.url == f"{address}/clinic"
    opened = {}
    for path in everywhere(app):
        answer = browser_context.request.get(f"{address}{path}", max_redirects=0)
        said = answer.text()
        opened[path] = answer.status
        assert not SECRETS.search(said), (path, SECRETS.search(said))
    assert {path for path, status in opened.items() if status == 200} == {
        "/account",
        "/account/second-factor",
        "/clinic",
        # Without a login, to programs on the same machine; it names no person.
        "/metrics",
        "/participants/P-001/enter/V0",
    }
    assert {opened[path] for path in opened if path.endswith(".csv")} == {403}

    told = both_values(page, address)
    assert told[0] == told[1]
    assert "A reason is needed" in told[0]
    assert faults(page) == []
    page.fill("#reason", "measured again")
    with another_page(page):
        page.get_by_role("button", name="Save the answers").click()
    assert page.url.startswith(f"{address}/clinic")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()  # the browser kept nothing of the form that was sent
    page.wait_for_url("chrome-error://**")
    page.goto(f"{address}/participants/P-001/enter/V0")
    assert [one.input_value() for one in page.locator("input[type=number]").all()] == ["", ""]
    with another_page(page):
        page.locator("form[action='/logout'] button").evaluate("one => one.form.requestSubmit(one)")
    page.go_back(wait_until="load")
    assert page.url.startswith(f"{address}/login")
