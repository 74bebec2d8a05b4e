"""The guide for staff: open to everybody, in the reader's language, and led to from every page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page

from pro_service.runtime import Runtime
from pro_service.web import i18n
from pro_service.web.public import guide
from tests import support
from tests.peers import databases
from tests.peers.chromium import BROAD, NARROW, faults


@pytest.mark.parametrize("language", list(i18n.LANGUAGES))
@databases.ON_BOTH
def test_every_link_in_the_guide_leads_to_a_page_of_it(client: FlaskClient, language: str) -> None:
    page = client.get(f"/help/all?lang={language}").text
    links = set(re.findall(r'href="(/help[^"]*)"', page))
    assert len(links) > 10
    assert {link for link in links if client.get(link.replace("&amp;", "&")).status_code != 200} == set()


def test_every_language_has_the_same_chapters() -> None:
    names = {tuple(chapter.name for chapter in guide.chapters(language)) for language in i18n.LANGUAGES}
    assert len(names) == 1


@databases.ON_BOTH
def test_every_page_of_staff_has_a_chapter(app: Flask) -> None:
    names = {chapter.name for chapter in guide.chapters("tr")}
    assert set(guide.BY_PAGE.values()) <= names
    known = {rule.endpoint for rule in app.url_map.iter_rules()} | set(app.blueprints)
    assert set(guide.BY_PAGE) <= known
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    own = {name for name in pages if name.startswith("dashboard.") and not name.endswith("_sheet")}
    assert own - set(guide.BY_PAGE) == {"dashboard.today_lists"}, "a part of a page has no link to help"


@databases.ON_BOTH
def test_a_page_leads_to_its_chapter_in_the_readers_language(rt: Runtime, client: FlaskClient) -> None:
    support.load_demo(rt)
    support.coordinator(rt, language="tr")
    support.sign_in(client)
    assert 'href="/help/enrol?lang=tr"' in client.get("/enrol").text
    assert 'href="/help/morning?lang=tr"' in client.get("/").text


@databases.ON_BOTH
def test_the_guide_needs_no_login_and_an_unknown_chapter_is_not_there(client: FlaskClient) -> None:
    assert "Katılımcıyı aramak" in client.get("/help/calls?lang=tr").text
    assert client.get("/help/nothing").status_code == 404
    assert client.get("/help/..%2Findex").status_code == 404


@pytest.mark.parametrize("language, width", list(zip(i18n.LANGUAGES, (NARROW, BROAD), strict=True)))
def test_the_guide_has_no_findings(page: Page, address: str, language: str, width: int) -> None:
    said: list[str] = []
    page.set_viewport_size({"width": width, "height": 740})
    page.on("console", lambda message: said.append(message.text))
    for name in ("when", "calls", "all"):
        page.goto(f"{address}/help/{name}?lang={language}")
        assert page.locator("html").get_attribute("lang") == language
        assert (name, faults(page)) == (name, [])
    assert said == []
