"""How Verimor writes: numbers without a plus, instants on Istanbul's clock, ids that are numbers or words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pro_service.core.providers import LONGEST_ID, Arrival, Receipt
from pro_service.gateways.verimor.codes import STATUSES

WAY = "verimor"
HOME = "+90"
ISTANBUL = ZoneInfo("Europe/Istanbul")
_NATIONAL = 10
"""Digits of a Turkish number without the country's code."""
_FOLDED = str.maketrans("Iİı", "iii")


def dialled(e164: str) -> str:
    """Return a number as Verimor takes it: 90532…, and those of other countries with 00 in front."""
    return e164[1:] if e164.startswith(HOME) else f"00{e164[1:]}"


def e164(written: str) -> str:
    """Return the number that Verimor writes so; a short code or a name stays as it is."""
    digits = written.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return written.strip()
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    national = digits.removeprefix("0")
    if len(national) == _NATIONAL and (digits != national or national[0] in "58"):
        return f"{HOME}{national}"
    return f"+{digits}" if len(digits) > _NATIONAL else digits


def instant(written: object) -> datetime | None:
    """Return an instant in UTC; what has no zone is Istanbul's time, and what is none is None."""
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written.strip())
        return (found if found.tzinfo else found.replace(tzinfo=ISTANBUL)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def identifier(given: object) -> str:
    """Return an id: a whole number, or a word of digits and letters; empty for anything else."""
    said = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    return said if said.isascii() and said.isalnum() else ""


def receipt_of(said: Mapping[str, object]) -> Receipt | None:
    """Return what became of a text, from a push or an answer; None where nothing says which text, or what became."""
    campaign, status = identifier(said.get("campaign_id")), said.get("status")
    if not campaign or not isinstance(status, str):
        return None
    word = status.strip().upper()
    means = STATUSES.get(word, word.lower())
    error = word if means in ("undelivered", "failed") else ""
    return Receipt(f"{WAY}:{campaign}", means, error, token=identifier(said.get("campaign_custom_id")) or None)


def arrival_of(said: Mapping[str, object], keyword: str = "") -> Arrival | None:
    """Return a text that somebody wrote; None where it has no id, no sender or no words."""
    number, sender, content = identifier(said.get("message_id")), said.get("source_addr"), said.get("content")
    provider_id = f"{WAY}:in:{number}"
    known = isinstance(sender, int | str) and not isinstance(sender, bool) and isinstance(content, str)
    if not number or len(provider_id) > LONGEST_ID or not known or not str(sender).strip():
        return None
    to = said.get("destination_addr")
    return Arrival(
        way=WAY,
        provider_id=provider_id,
        sender=e164(str(sender)),
        # Half a character, which JSON allows, cannot be written down.
        body=without(keyword, str(content).encode(errors="replace").decode()),
        raw=said,
        to=e164(str(to)) if isinstance(to, int | str) else "",
        at=instant(said.get("received_at")) or instant(said.get("created_at")),
    )


def without(keyword: str, content: str) -> str:
    """Cut the word off that leads texts to a shared short code to us, however it was typed: "PRO 7", "pro7" -> "7"."""
    said, word = content.strip(), keyword.strip()
    first, rest = said[: len(word)], said[len(word) :]
    cut = bool(word) and _folded(first) == _folded(word) and not rest[:1].isalpha()
    return rest.lstrip(" \t\n:;,.-") if cut else content


def _folded(word: str) -> str:
    return word.translate(_FOLDED).casefold()
