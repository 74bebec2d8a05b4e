"""The words of everything that can be said about a change: what, and what to do. Pages translate them whole."""

from collections.abc import Mapping
from datetime import datetime

from pro_service.core.changes import Note
from pro_service.core.faults import Fault

NOTES: Mapping[str, tuple[str, str]] = {
    # What is refused.
    "unknown_action": ("there is no such change", "choose one of those offered"),
    "needs_reason": ("a reason is needed", "say in a few words why (at most {most} characters; no name, no treatment)"),
    "in_future": ("this day is still to come", "write the day on which it happened, or leave it empty for now"),
    "not_ahead": ("this day has begun already", "choose a later day; to end a pause, choose resume"),
    "no_day_needed": (
        "messages stop at once, whatever the day",
        "leave the day empty; it is for a withdrawal from the study",
    ),
    "has_died": ("this participant has died", "nothing is left to withdraw from"),
    "has_left_for_good": ("this participant has left the study", "nothing is sent any more, so there is no pause"),
    "number_or_none": ("a number, and the wish to remove it", "give one of the two"),
    "needs_number": ("no number is given", "write the new number, or say that the old one is to be removed"),
    "landline": (
        "is a landline, internet or personal number, and texts are read on a mobile telephone",
        "give a mobile number; or leave the consent out: then people call",
    ),
    "nothing_stands": (
        "no consent to messages was ever given",
        "write the day on which it was given for this number, or leave it empty: then people call",
    ),
    "given_or_taken_back": (
        "was the consent given, or taken back?",
        "write the day on which it was given, or say that it is taken back; one of the two",
    ),
    "before_opt_out": (
        "this consent was given before the participant stopped the texts on {day}",
        "record the consent that was given since; an older one does not undo a stop",
    ),
    "site_gone": ("the new version has no site {site}", "move the participant first, or keep the site in the file"),
    "language_gone": (
        "the new version has no language {language}",
        "change the participant's language first, or keep it in the file",
    ),
    "item_gone": (
        "the new version has no item {item}, which was asked already",
        "keep the item in the file; leave it out of the time points that shall not ask it",
    ),
    # What to mind.
    "before_start": ("the procedure on {day} is before the study's start ({start})", "check the date"),
    "after_end": ("the procedure on {day} is after the study's end ({end})", "check the date"),
    "last_after_end": ("the last window closes on {last}, after the study's end ({end})", "check the date"),
    "no_working_day": (
        "window {window} ({first} to {last}) holds no working day: nobody can call in it",
        "plan who looks after it, or check the date",
    ),
    "window_over": (
        "window {window} is over already: it counts as missed unless an answer goes along, and asks for a reason",
        "give the reason in the task that follows",
    ),
    "to_be_confirmed": (
        "nothing is sent before somebody confirms that the procedure took place on {day}",
        "confirm it once it has",
    ),
    "has_left": ("this participant has left the study: nothing is sent", "only the windows' dates change"),
    "baseline_after": (
        "the baseline was measured on {measured}, after the procedure on {day}",
        "it is kept; check both dates",
    ),
    "baseline_before": (
        "the baseline was measured on {measured}, some time before the procedure on {day}",
        "it is kept as the baseline; measure it again if the protocol asks for that",
    ),
    "zone_stays": (
        "the participant's own clock stays {zone}",
        "change the time zone too if the participant lives by another clock now",
    ),
    "not_laid": ("the new version's {window} is over already and is not laid out", "nothing is to be done"),
    "paused_to_the_end": (
        "no window is left after this pause: there will be no more prompts at all",
        "choose an earlier day unless that is meant; people still call",
    ),
    "window_in_pause": ("window {window} closes during the pause", "people call for it; nothing else asks"),
    "calls_only": (
        "without a consent for this number nothing is sent to it: people call",
        "record the consent as soon as it is given",
    ),
    "shared": (
        "another participant has this number too",
        "check that it is right: texts from a shared telephone may need a person",
    ),
}
"""Code of a note -> (what, what to do), with blanks for its values."""


def words(note: Note) -> tuple[str, str]:
    """(what, what to do) in English, days and instants as they are written in files."""
    if note.code == "cell":
        return str(note.values["fault"]), str(note.values["remedy"])
    what, remedy = NOTES[note.code]
    values = {name: _plain(value) for name, value in note.values.items()}
    return what.format(**values), remedy.format(**values)


def fault(note: Note, line: int | None = None) -> Fault:
    """The note as a fault of what was given, at its field."""
    what, remedy = words(note)
    return Fault(note.field, line, what, remedy)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
