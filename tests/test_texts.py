"""Every word that people read: in every language, with the same blanks, in pages that carry nothing of their own."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from pro_service import paths
from pro_service.core.enrolment.file import OPTIONAL, REQUIRED

PAGES = sorted((paths.templates() / "web").rglob("*.html"))
CATALOGUE = paths.templates() / "web" / "locale" / "tr.po"
GLOSSARY = Path(__file__).parents[1] / "docs" / "reference" / "glossary.md"
KINDS = ("sms", "email")
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def frames(kind: str) -> dict[str, dict[str, str]]:
    """Return language → name → text of every frame."""
    languages = sorted(folder for folder in (paths.templates() / kind).iterdir() if folder.is_dir())
    return {
        folder.name: {
            file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
            for file in sorted(folder.rglob("*.txt"))
        }
        for folder in languages
    }


def blanks(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "file", files, ids=[file.relative_to(paths.templates()).as_posix() for file in files]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_there_in_every_language_with_the_same_blanks(kind: str) -> None:
    english, turkish = ({name: blanks(text) for name, text in frames(kind)[code].items()} for code in ("en", "tr"))
    assert english
    assert turkish == english


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_holds_words_and_nothing_that_cannot_be_seen(kind: str) -> None:
    for language, texts in frames(kind).items():
        for name, text in texts.items():
            assert text.strip(), f"{language}/{name}"
            assert not re.search(r"[\u200b-\u200f\u202a-\u202e\ufeff\t]", text), f"{language}/{name}"


def messages() -> Iterator[tuple[str, str]]:
    """Yield where each message of the pages stands, and the message (its singular)."""
    pages, code = paths.templates() / "web", Path(__file__).parents[1] / "pro_service" / "web"
    trimmed = {"**.html": {"trimmed": "true", "silent": "false"}}
    found = [
        *extract_from_dir(pages, [("**.html", "jinja2.ext.babel_extract")], trimmed, KEYWORDS, directory_filter=spoken),
        *extract_from_dir(code, [("**.py", "python")], {}, KEYWORDS, directory_filter=spoken),
    ]
    for file, line, message, _comments, _context in found:
        yield f"{file}:{line}", message if isinstance(message, str) else message[0]


def spoken(folder: str) -> bool:
    # The telephones are a tool for those who set the service up, and speak English alone.
    return Path(folder).name not in {"simulator", "__pycache__"}


def turkish_catalogue() -> set[str]:
    """Return every message (its singular) that has a Turkish one."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="tr")
    return {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.string}


def turkish_pages() -> list[str]:
    """Return all Turkish of the pages."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="tr")
    said = [message.string for message in catalogue if message.id]
    return [text for one in said for text in ([one] if isinstance(one, str) else one or ())]


def not_used() -> list[tuple[re.Pattern[str], str]]:
    """Return the words that the glossary strikes, as patterns, each with where: everywhere, pages, texts."""
    found = []
    _, _, table = GLOSSARY.read_text(encoding="utf-8").partition("## Words not used")
    for line in re.findall(r"^\| (.+) \| .+ \| (everywhere|pages|texts) \|$", table, re.MULTILINE):
        for word in line[0].split(", "):
            ending = r"\w*" if word.endswith("…") else r"\b"
            found.append((re.compile(rf"\b{re.escape(word.removesuffix('…').lower())}{ending}"), line[1]))
    return found


def small(text: str) -> str:
    """Return Turkish in small letters."""
    return text.replace("İ", "i").replace("I", "ı").lower()


def test_every_message_of_the_pages_is_there_in_turkish() -> None:
    turkish = turkish_catalogue()
    assert sorted({f"{place}: {message}" for place, message in messages() if message not in turkish}) == []


def test_no_message_is_in_the_turkish_catalogue_twice() -> None:
    ids = re.findall(r'^msgid (".+")$', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [message for message, n in Counter(ids).items() if n > 1] == []


def test_no_turkish_word_is_one_that_the_glossary_strikes() -> None:
    turkish = frames("sms")["tr"].items(), frames("email")["tr"].items()
    said = [("pages", text) for text in turkish_pages()] + [("texts", text) for _, text in turkish[0]]
    said += [("pages", text) for _, text in turkish[1]]
    said.append(("card", (paths.templates() / "card" / "tr.txt").read_text(encoding="utf-8")))
    files = (*(paths.guide() / "tr").glob("*.md"), *(paths.templates() / "export").glob("*.tr.*"))
    said += [("pages", file.read_text(encoding="utf-8")) for file in files]
    struck = not_used()
    assert len(struck) > 20
    found = [
        (pattern.pattern, text)
        for place, text in said
        for pattern, where in struck
        if where in ("everywhere", place) and pattern.search(small(text))
    ]
    assert found == []


def test_a_page_says_columns_of_files_in_words_but_where_it_says_how_a_file_is_written() -> None:
    named = {column for column in (*REQUIRED, *OPTIONAL) if "_" in column}
    assert {"messaging_consent", "procedure_date"} <= named
    said = [text for text in turkish_pages() if any(column in text for column in named)]
    assert [text for text in said if not text.startswith("Sütunlar: ")] == []


def test_turkish_percent_stands_before_its_number_and_a_day_is_no_gram() -> None:
    said = "\n".join(turkish_pages())
    assert re.findall(r".*(?:[0-9]|\)s|\}) ?%(?![(]).*", said) == []
    assert re.findall(r".*\} g\b.*", said) == []


def test_the_turkish_catalogue_fills_the_blanks_that_the_page_gives() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="tr")
    faults = [(message.id, str(error)) for message, errors in catalogue.check() for error in errors]
    assert faults == []


@each(PAGES)
def test_a_page_holds_no_script_and_no_style_of_its_own(file: Path) -> None:
    page = file.read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=|javascript:", page) == []


@each(PAGES)
def test_a_page_loads_nothing_from_elsewhere(file: Path) -> None:
    page = file.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//", page) == []
