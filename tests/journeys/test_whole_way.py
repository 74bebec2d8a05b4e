"""The whole way, as its users walk it: real programs, a real Twilio peer, a real mail host, a real browser."""

import json
import re

from playwright.sync_api import Page, expect

from tests import support
from tests.journeys.conftest import BY_LINK, BY_TEXT, IN_TURKEY, ON_WHATSAPP, Service
from tests.peers import chromium, databases, mail

pytestmark = databases.ON_BOTH


def answers(service: Service, code: str) -> dict[tuple[str, str], int | None]:
    """(window, item) -> value of the newest version."""
    return {(each["window"], each["item"]): each["value"] for each in service.shown(code)["responses"]}


def log_in(page: Page, service: Service) -> None:
    """Sign in as the coordinator."""
    page.goto(f"{service.web}/login?lang=en")
    page.fill("input[name=email]", support.EMAIL)
    page.fill("input[name=password]", support.PASSWORD)
    with chromium.another_page(page):
        page.press("input[name=password]", "Enter")
    assert page.url == f"{service.web}/"


def test_from_a_procedure_date_to_a_score_an_escalation_and_a_dashboard(
    service: Service, page: Page, mail_peer: mail.MailHost
) -> None:
    # Nothing before its moment.
    service.at("2026-03-09 09:59")
    assert service.texts(BY_TEXT) == []

    # The invitation arrives, is answered by text, and the second question follows.
    service.at("2026-03-09 10:00")
    assert "0 = no pain" in service.texts(BY_TEXT)[0]
    service.reply(BY_TEXT, "4")
    assert "very much improved" in service.texts(BY_TEXT)[1]
    service.reply(BY_TEXT, "2")
    assert answers(service, "P-001")["W1", "NRS-AVG"] == 4
    assert answers(service, "P-001")["W1", "PGIC"] == 2
    derived = next(d for d in service.shown("P-001")["derived"] if d["window"] == "W1" and d["item"] == "NRS-AVG")
    assert float(derived["percent_reduction"]) == 50
    assert derived["responder50"] is True

    fill_in_the_form(service, page)
    press_a_button(service, page)
    write_to_the_number_that_a_text_names(service, page)
    work_through_a_silent_window(service, page, mail_peer)

    # The figures say the same everywhere.
    week = next(row for row in json.loads(service.run("report", "compliance", "--json")) if row["code"] == "W1")
    assert (week["due"], week["completed_in_window"], week["missed"]) == (5, 4, 1)
    log_in(page, service)
    page.goto(f"{service.web}/compliance")
    assert "4/5" in page.locator("main").inner_text()


def fill_in_the_form(service: Service, page: Page) -> None:
    """The link opens a form in Turkish; it is filled in without JavaScript's help."""
    link = re.search(r"https?://\S+/q/\S+", service.texts(BY_LINK)[0])
    assert link is not None
    page.goto(link[0])
    assert page.locator("html").get_attribute("lang") == "tr"
    page.check("input[name='NRS-AVG'][value='0']")
    page.check("input[name='PGIC'][value='1']")
    with chromium.another_page(page):
        page.click("main button")
    assert answers(service, "P-002")["W1", "NRS-AVG"] == 0
    assert service.shown("P-002")["responses"][-1]["source"] == "web"


def press_a_button(service: Service, page: Page) -> None:
    """On WhatsApp the question comes as a template with buttons; one is pressed, and the next question follows."""
    page.goto(f"{service.telephones}/telephones/{ON_WHATSAPP}")
    log = page.get_by_role("log")
    expect(log).to_contain_text("This message is for P-004")
    log.get_by_role("button", name="3").click()
    expect(log).to_contain_text("the study has it")
    service.until_answered(ON_WHATSAPP, 1)
    expect(log).to_contain_text("very much improved")
    service.reply(ON_WHATSAPP, "2")
    assert [answers(service, "P-004")["W1", item] for item in ("NRS-AVG", "PGIC")] == [3, 2]
    assert service.shown("P-004")["responses"][-1]["source"] == "whatsapp"
    assert chromium.axe_faults(page) == []


def write_to_the_number_that_a_text_names(service: Service, page: Page) -> None:
    """In Turkey texts come from a name, by Verimor: they say where to write, and what is written there is read."""
    page.goto(f"{service.telephones}/telephones/{IN_TURKEY}")
    log = page.get_by_role("log")
    expect(log).to_contain_text("08500000000")
    for words in ("3", "2"):
        before = len(service.texts(IN_TURKEY))
        page.get_by_placeholder("Reply from this telephone").fill(words)
        page.get_by_role("button", name="Send").click()
        service.until_answered(IN_TURKEY, before)
    assert [answers(service, "P-005")["W1", item] for item in ("NRS-AVG", "PGIC")] == [3, 2]
    assert service.shown("P-005")["responses"][-1]["source"] == "sms"
    assert chromium.axe_faults(page) == []


def work_through_a_silent_window(service: Service, page: Page, mail_peer: mail.MailHost) -> None:
    """A window left alone is called for while it can be saved, then missed, and both are mailed without a number."""
    service.at("2026-03-11 09:00")
    service.at("2026-03-11 12:30")
    log_in(page, service)
    assert "P-003" in page.locator("main").inner_text()
    assert chromium.axe_faults(page) == []
    service.at("2026-03-13 00:00")
    silent = service.shown("P-003")
    levels = [each["level"] for each in silent["escalations"] if each["window"] == "W1"]
    assert levels[0] == "E1"
    assert levels.count("E3") == 1
    assert {w["code"]: w["status"] for w in silent["windows"]}["W1"] == "missed"
    subjects = [letter["Subject"] for letter in mail_peer.received]
    assert any("P-003" in subject and "W1" in subject for subject in subjects)
    assert not any("+1202" in letter.as_string() for letter in mail_peer.received)
