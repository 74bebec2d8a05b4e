"""One gate: to who may not be written to, nothing but the one acknowledgement is called for, whatever happens."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pro_service.core.commands import Send
from tests.core.world import World, at, invited, world

PACKAGE = Path(__file__).parents[3] / "pro_service"
WHEN = at("2026-01-19 10:00:05")
STOPPED: dict[str, object] = {
    "opted_out_at": WHEN,
    "withdrawn_at": WHEN,
    "died_at": WHEN,
    "unreachable_at": WHEN,
    "consented_at": None,
    "has_phone": False,
}
"""Each fact that closes the gate, alone."""
SAID: tuple[str, ...] = (
    *("7", "0", "hiç", "7-8", "evet", "hayır", "HELP", "beni arayın", "yarın", "1 saat sonra", "acil", "atla"),
    *("annem 5 diyor", "yanlış numara", "please stop it", "STOP", "no idea", "", "tanımıyorum", "7"),
)


def frames(life: World) -> list[str]:
    return [command.frame for _, command in life.done if isinstance(command, Send)]


@pytest.mark.shows("stopping: one gate", "stopping: not withdrawal")
@pytest.mark.parametrize("fact", STOPPED)
def test_whatever_one_says_and_however_long_one_waits_the_gate_stays_closed(fact: str) -> None:
    life = invited()
    before = len(frames(life))
    life.change(**{fact: STOPPED[fact]})
    for words in SAID:
        life.text(words, after=60)
    life.until(at("2026-08-01 00:00"))
    allowed = {
        "withdrawn_at": ["stopped"],
        "unreachable_at": ["stopped"],
        "consented_at": ["stopped"],
    }
    assert frames(life)[before:] in ([], allowed.get(fact, []))


@pytest.mark.parametrize("fact", STOPPED)
def test_an_answer_by_another_way_sends_nothing_through_the_gate(fact: str) -> None:
    life = world(**{fact: STOPPED[fact]})
    life.until(at("2026-01-19 12:00"))
    life.answer("W1", {"NRS-AVG": 9})
    life.answer("W1", {"PGIC": 7}, source="telephone")
    life.until(at("2026-08-01 00:00"))
    assert frames(life) == []


def _calls_of(name: str) -> Iterator[str]:
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == name:
                yield file.relative_to(PACKAGE).as_posix()


@pytest.mark.shows("stopping: one gate")
def test_texts_are_called_for_in_two_places_and_written_in_one() -> None:
    assert set(_calls_of("Send")) == {
        "core/conversation/rules.py",
        "core/schedule/prompts.py",
        "core/conversation/contact_test.py",
    }, "a new place needs the gate: may_text"
    assert set(_calls_of("_send")) == {"store/participants/writer.py"}


@pytest.mark.shows("stopping: one gate")
def test_rows_of_the_outbox_are_written_by_the_writer_and_by_what_goes_to_staff_alone() -> None:
    """Found by what one must name to add a row: the table, in an insert, an `add` or a bulk.

    `unknown_sender` writes the one answer to a number that nobody has, the others mails and texts to staff.
    """
    found = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            named = {arg.id for arg in node.args if isinstance(arg, ast.Name)}
            if name in ("insert", "add", "Bulk") and "messages" in named:
                found.add(file.relative_to(PACKAGE).as_posix())
    assert found == {
        "store/participants/writer.py",
        "store/messages/staff_mail.py",
        "store/messages/staff_texts.py",
        "store/messages/unknown_sender.py",
        "store/messages/digests.py",
        "store/staff/links.py",
    }
