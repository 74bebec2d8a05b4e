"""The guide for staff, under /help: Markdown files shown in the frame of the other pages. It tells nothing secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from pro_service import paths
from pro_service.web import i18n

FIRST = "index"
"""The page that names the others, in their order."""

BY_PAGE: Mapping[str, str] = {
    "account": "sign-in",
    "administration": "administrators",
    "administration.team": "investigators",
    "administration.audit": "pages",
    "clinic": "answers",
    "dashboard.today": "morning",
    "dashboard.worklist": "investigators",
    "dashboard.task": "calls",
    "dashboard.call": "calls",
    "dashboard.enter": "answers",
    "dashboard.entered": "answers",
    "dashboard.show_answers": "answers",
    "dashboard.inbox_page": "inbox",
    "dashboard.inbox_text": "inbox",
    "dashboard.inbox_deal": "inbox",
    "dashboard.enrol_form": "enrol",
    "dashboard.enrol_one": "enrol",
    "dashboard.enrolled": "enrol",
    "dashboard.import_form": "enrol",
    "dashboard.import_file": "enrol",
    "dashboard.what_if": "enrol",
    "dashboard.column_names": "enrol",
    "dashboard.confirmation": "investigators",
    "dashboard.closing": "investigators",
    "dashboard.cards": "cards",
    "dashboard.queries": "queries",
    "dashboard.answer_query": "queries",
    "dashboard.close_query": "queries",
    "dashboard.ask": "queries",
    "dashboard.asked": "queries",
    "dashboard.card_sheets": "cards",
    "dashboard.show_card": "cards",
    "dashboard.replace_card": "cards",
    "dashboard.change": "changes",
    "dashboard.changed": "changes",
    "dashboard.erasure": "changes",
    "dashboard.reveal": "changes",
    "dashboard.revealed": "changes",
    "dashboard.outcomes": "investigators",
    "dashboard.data": "investigators",
    "dashboard.take_data": "investigators",
    "dashboard.paper": "investigators",
    "dashboard.revelations_log": "investigators",
    "dashboard.participants": "pages",
    "dashboard.participant": "pages",
    "dashboard.telephone": "pages",
    "dashboard.compliance": "pages",
    "dashboard.messages": "pages",
    "dashboard.message": "pages",
    "dashboard.study": "pages",
    "dashboard.protocol": "pages",
    "dashboard.texts": "pages",
}
"""The chapter of a page, by endpoint, or by blueprint for those that have none of their own."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One page of the guide."""

    name: str
    title: str
    body: Markup


def blueprint() -> Blueprint:
    """Return the guide: its first page, each chapter, and all of it on one page to print."""
    pages = Blueprint("guide", __name__, url_prefix="/help")

    @pages.get("")
    def first() -> ResponseReturnValue:
        return _page(chapters(i18n.language())[:1])

    @pages.get("/all")
    def whole() -> ResponseReturnValue:
        return _page(chapters(i18n.language()))

    @pages.get("/<name>")
    def chapter(name: str) -> ResponseReturnValue:
        return _page([found for found in chapters(i18n.language()) if found.name == name])

    return pages


def chapter_of_this_page() -> str:
    """Return the name of the chapter that helps with the page that is shown."""
    endpoint = request.endpoint or ""
    return BY_PAGE.get(endpoint) or BY_PAGE.get(endpoint.partition(".")[0]) or FIRST


@lru_cache(maxsize=4)
def chapters(language: str) -> tuple[Chapter, ...]:
    """Return the guide in a language, or else in English: the first page, then the others as it names them."""
    folder = paths.guide() / language
    if not folder.is_dir():
        folder = paths.guide() / i18n.SOURCE
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def read(name: str) -> tuple[Chapter, list[str]]:
        tokens = markdown.parse((folder / f"{name}.md").read_text(encoding="utf-8"))
        title = next(inside.content for before, inside in pairwise(tokens) if before.tag == "h1")
        named = list(_lead_to_chapters(tokens, language))
        return Chapter(name, title, Markup(markdown.renderer.render(tokens, markdown.options, {}))), named  # noqa: S704

    start, named = read(FIRST)
    return start, *(read(name)[0] for name in named)


def _lead_to_chapters(tokens: list[Token], language: str) -> Iterator[str]:
    """Turn each link to a file of the guide into its address; yield the chapters that are linked to."""
    for token in (part for block in tokens for part in block.children or ()):
        link = str(token.attrGet("href") or "")
        if token.type == "link_open" and link.endswith(".md"):
            name = link.removesuffix(".md")
            token.attrSet("href", f"/help/{name}?lang={language}")
            yield name


def _page(shown: list[Chapter] | tuple[Chapter, ...]) -> str:
    if not shown:
        abort(404)
    return render_template("guide.html", shown=shown, chapters=chapters(i18n.language()))
