"""The report of a rehearsal: one file that loads nothing, in both languages, without findings of axe."""

import re
from pathlib import Path
from typing import Literal

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Page

from pro_service import paths
from pro_service.rehearsal.report import page as page_of
from tests.peers.chromium import faults
from tests.rehearsal.conftest import Rehearsed, lived, plan

LANGUAGES = ("en", "tr")
TEMPLATES = paths.templates() / "rehearsal"


@pytest.fixture(params=LANGUAGES)
def file(request: pytest.FixtureRequest, certain: Rehearsed, tmp_path: Path) -> Path:
    """Return the report as a file, in each language."""
    return written(certain, request.param, tmp_path)


def written(found: Rehearsed, language: str, folder: Path) -> Path:
    """Write a report down."""
    file = folder / f"{language}.html"
    file.write_text(page_of(found.report, language), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "language, width, scheme",
    [("en", 360, "light"), ("en", 1280, "dark"), ("tr", 360, "dark"), ("tr", 1280, "light")],
)
def test_the_report_has_no_findings_and_asks_for_nothing(
    chromium: Browser,
    certain: Rehearsed,
    tmp_path: Path,
    language: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    file = written(certain, language, tmp_path)
    context = chromium.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    tab, asked, said = context.new_page(), list[str](), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(file.as_uri())
    assert tab.locator("html").get_attribute("lang") == language
    assert faults(tab) == []
    assert (asked, said) == ([file.as_uri()], [])
    context.close()


def test_nothing_is_wider_than_the_smallest_telephone_or_a_tablet(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    for width in (320, 700, 900):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_picture_has_its_figures_in_a_table_or_beside_it(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    figures = page.locator("figure").all()
    assert len(figures) >= 5
    for figure in figures:
        assert figure.locator("table").count() or figure.locator("li .value").count()
    assert page.locator("svg[role=img]:not([aria-label])").count() == 0


def test_every_printed_page_says_that_it_is_simulated(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    # What is fixed is printed on every page; so is what stands in the margins.
    assert page.evaluate("getComputedStyle(document.querySelector('.watermark')).position") == "fixed"
    assert page.locator(".watermark").is_visible()
    assert "@bottom-left { content:" in file.read_text(encoding="utf-8")
    page.emulate_media(media="screen")
    assert page.locator(".simulated").is_visible()


def test_the_file_holds_no_script_and_loads_nothing(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"<script|<link|<img|<iframe|\son[a-z]+=|javascript:|@import|url\(|\ssrc=", text) == []
    assert re.findall(r'href="(?!#)', text) == []


def test_it_names_what_was_rehearsed(certain: Rehearsed, file: Path) -> None:
    text, asked = file.read_text(encoding="utf-8"), certain.report.parameters
    for value in (asked.study, asked.sha256, str(asked.seed), asked.release):
        assert value in text
    for person in certain.report.rows:
        assert person.participant in text


def test_no_telephone_is_in_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    # The site's own is in the texts; the participants' are not.
    assert "+90 212 555 0100" in text
    assert not re.search(r"\+1\d{10}", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_participant_on_the_first_day_makes_a_report_too(tmp_path: Path, language: str) -> None:
    with lived(tmp_path, plan(participants=1, days=1, channels=("calls",))) as found:
        assert found.report.texts == 0
        assert "P-001" in page_of(found.report, language)


def test_who_has_the_printed_card_is_asked_by_text_and_answers_on_the_page(tmp_path: Path) -> None:
    with lived(tmp_path, plan(participants=12, days=14, enrolment_days=2, channels=("sms-card",))) as found:
        assert found.number("SELECT count(*) FROM messages WHERE frame LIKE '%.sms-card' AND accepted_at > ''")
        assert found.number("SELECT count(*) FROM responses WHERE source = 'card'")
        assert "route_refused" not in {finding.code for finding in found.report.findings}
        assert "printed card" in page_of(found.report, "en")


def test_every_word_of_the_report_is_there_in_turkish() -> None:
    with (paths.templates() / "web" / "locale" / "tr.po").open("rb") as source:
        catalogue = read_po(source, locale="tr")
    turkish = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.string}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(TEMPLATES, [("**.html", "jinja2.ext.babel_extract")], options, keywords)
    words = {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}
    assert len(words) > 100
    assert words - turkish == set()
