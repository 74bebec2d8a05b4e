"""The pages of the reference that are made from the code, when the documentation is built.

A page says where: a line `<!-- made from the code: commands -->` becomes what `commands` returns.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from gettext import NullTranslations
from pathlib import Path

import click
from flask import Flask
from sphinx.application import Sphinx

from pro_service import paths, settings
from pro_service.cli import main
from pro_service.core import problem_words
from pro_service.core.study_file import file as study_file
from pro_service.exports.data_tables import Shape, data_tables, site_codes, visit_codes
from pro_service.exports.paper import completeness, flow
from pro_service.exports.tables import Column, Table
from pro_service.web import i18n
from pro_service.web.dashboard.vocabulary import vocabulary

ROOT = Path(__file__).resolve().parents[1]
_MADE = re.compile(r"^<!-- made from the code: ([\w ]+) -->$", re.MULTILINE)
_SETTING = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$")
_SECTION = re.compile(r"^# --- (.+?) -+$")
_MARKDOWN = re.compile(r"([\\*<>|\[\]])")


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx fill the pages in as it reads them."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True}


def _fill_in(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = filled_in(source[0])


def filled_in(text: str) -> str:
    """Return a page with every part that is made from the code. Raises KeyError for a part that nothing makes."""
    return _MADE.sub(lambda found: PARTS[found[1]](), text)


# --- commands --------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Return a section for every command of `pro-service`, by group: how it is called, what it does, its options."""
    groups: dict[str, list[str]] = {}
    for path, command in all_commands():
        group = path[0] if len(path) > 1 else ""
        groups.setdefault(group, []).append("\n\n".join(_section(path, command)))
    titles = {"": "The service"} | {name: f"`{name}`" for name in groups if name}
    return "\n\n".join(f"## {titles[name]}\n\n" + "\n\n".join(groups[name]) for name in sorted(groups))


def all_commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words it is called by."""

    def below(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from below(command, (*above, name))
            if command is not None and (not isinstance(command, click.Group) or command.invoke_without_command):
                yield (*above, name), command

    if isinstance(main, click.Group):
        yield from below(main, ())


def _section(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join(["pro-service", *path, *command.collect_usage_pieces(context)])
    yield f"### {' '.join(path)}"
    yield f"`{usage}`"
    yield _escaped(inspect.cleandoc(command.help or ""))
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if records:
        yield _table(
            ("option", "meaning"), [(f"`{names.replace('|', '·')}`", _escaped(said)) for names, said in records]
        )


# --- settings --------------------------------------------------------------------------------------------------------


def settings_by_section() -> str:
    """Return every setting, as `.env.example` explains it, with its default."""
    parts = []
    said: list[str] = []
    names: list[str] = []

    def take() -> None:
        if names:
            parts.append("\n".join(names) + f"\n\n{_escaped(' '.join(said))}")
        said.clear()
        names.clear()

    lines = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n# --- ", 1)[1]
    for line in f"# --- {lines}".splitlines():
        if section := _SECTION.match(line):
            take()
            parts.append(f"## {section[1]}")
        elif setting := _SETTING.match(line):
            names.append(_setting(setting[1], setting[2]))
        elif line:
            if names:
                take()
            said.append(line.removeprefix("# "))
        else:
            take()
    take()
    return "\n\n".join(parts)


def _setting(name: str, value: str) -> str:
    said = f": `{value}` {'unless set' if _is_default(name, value) else 'for example'}" if value else ""
    return f"- **`{name}`**{said}{', can be read from a file' if name in settings.SECRETS else ''}"


def _is_default(name: str, value: str) -> bool:
    """Return whether to set this value is the same as to set none."""
    least = {"SECRET_KEY": "s" * 32, "DATA_KEYS": f"k1:{'A' * 43}=", "PUBLIC_BASE_URL": "https://pro.example.org"}
    example = ROOT / ".env.example"
    try:
        return settings.load(example, least) == settings.load(example, {**least, name: value})
    except settings.SettingsError:
        return False


# --- problems --------------------------------------------------------------------------------------------------------


def problems_by_subject() -> str:
    """Return a table of every code of the catalogue, by subject: what is wrong, and what to do about it."""
    tables = []
    for subject, entries in problem_words.SUBJECTS.items():
        rows: list[tuple[str, ...]] = [
            (f"`{code}`", _escaped(entry.what), _escaped(entry.remedy)) for code, entry in entries.items()
        ]
        tables.append(f"## {subject}\n\n" + _table(("code", "what", "what to do"), rows))
    return "\n\n".join(tables)


# --- words of reports -----------------------------------------------------------------------------------------------


def words_of_reports() -> str:
    """Return a table for every kind of code that reports and files hold: the code, and the page's word for it."""
    app = Flask(__name__)
    app.extensions[i18n.CATALOGUES] = {i18n.SOURCE: NullTranslations()}
    with app.app_context():
        known = vocabulary(i18n.SOURCE)
    tables = []
    for kind, title in _KINDS_OF_WORDS.items():
        rows: list[tuple[str, ...]] = [(f"`{code}`", _escaped(word)) for code, word in known[kind].items()]
        tables.append(f"## {title}\n\n" + _table(("code", "on the pages"), rows))
    return "\n\n".join(tables)


_KINDS_OF_WORDS: Mapping[str, str] = {
    "status": "State of a window",
    "participant": "State of a participant",
    "way": "How a participant is asked",
    "source": "How an answer came",
    "level": "Level of a task",
    "outcome": "How a task or a call ended",
    "missing": "Why there is no answer",
    "kind": "Kind of a text",
    "state": "State of a text",
}


# --- columns of the data set ----------------------------------------------------------------------------------------


def columns_of_the_data_set() -> str:
    """Return a table for every file of the data set: its columns, for the study that ships."""
    text = (paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8")
    protocol, _ = study_file.check(text)
    if protocol is None:
        raise ValueError("the study file that ships has faults")
    shape = Shape(protocol.study, (protocol,))
    visits, sites = visit_codes(shape), site_codes(shape)
    described = (*data_tables(shape), completeness.table(visits, sites), flow.table(visits, sites))
    return "\n\n".join(_columns(table) for table in described)


def _columns(table: Table) -> str:
    head = ("column", "type", "what it holds", "values", "empty")
    rows: list[tuple[str, ...]] = [
        (f"`{column.name}`", column.kind, _escaped(column.labels["en"]), _values(column), column.missing.get("en", ""))
        for column in table.columns
    ]
    key = ", ".join(f"`{name}`" for name in table.key)
    return f"### {table.path}\n\n{table.labels['en']}. A row is named by {key}.\n\n{_table(head, rows)}"


def _values(column: Column) -> str:
    if column.kind == "code":
        return " · ".join(f"`{code.value}`" for code in column.codes)
    limits = (column.minimum, column.maximum)
    if limits == (None, None):
        return column.unit
    least, most = ("" if limit is None else str(limit) for limit in limits)
    return f"{least} to {most}" if most else f"{least} or more"


# --- Markdown --------------------------------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escaped(text: str) -> str:
    """Return a plain text as Markdown that shows it as it is, paragraph by paragraph."""
    return _MARKDOWN.sub(r"\\\1", text)


PARTS: Mapping[str, Callable[[], str]] = {
    "columns of the data set": columns_of_the_data_set,
    "commands": commands,
    "problems": problems_by_subject,
    "settings": settings_by_section,
    "words of reports": words_of_reports,
}
