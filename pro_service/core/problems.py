"""What goes wrong, as values: faults of what a person wrote, notes on a change, and the words of both in English.

Every fault is reported at once, each with its place and its remedy. A code has its words here, what is wrong and what
to do about it; pages translate the words of a code as a whole.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, where, and what to do about it."""

    path: str
    """Place in the file's structure, counted from 0: `time_point[2].reminder[0].at`."""
    line: int | None
    """Line in the file, from 1, best effort."""
    fault: str
    remedy: str
    code: str = dataclasses.field(default="", compare=False)
    """Of `FINDINGS`, to put it into another language; empty where only the English words exist."""
    values: tuple[tuple[str, object], ...] = dataclasses.field(default=(), compare=False)
    """What fills the blanks of its words."""


class RejectedError(Exception):
    """The input has faults; `faults` holds all of them, and nothing was changed."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a change, by its code in `NOTES`: why it cannot be made, or what to mind about it."""

    code: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """What fills the blanks of its words."""
    field: str = ""
    """The field of the form it is about; empty: the whole."""


class ChangeRefusedError(Exception):
    """The change cannot be made; `notes` holds every reason, and nothing was written."""

    def __init__(self, notes: tuple[Note, ...]) -> None:
        super().__init__(", ".join(note.code for note in notes))
        self.notes = notes


UNAVAILABLE: Mapping[str, tuple[str, str]] = {
    "full": (
        "the database cannot be written: the disk is full",
        "free some space on the disk of the database; nothing else is needed, what waits goes on then",
    ),
    "disk": (
        "the database cannot be written: its disk is full, or reports a fault",
        "look at free space and quotas first, then at the system's log about that disk",
    ),
    "locked": (
        "the database is locked by another program",
        "find what holds it: a backup, a shell, another process of this service that stands still",
    ),
    "read_only": (
        "the database can only be read",
        "it lies on a read-only disk, its file is not this user's to write, or it is a standby: check where it points",
    ),
    "not_opened": (
        "the file of the database cannot be opened",
        "check that its folder is there, belongs to this user and lies on no read-only disk",
    ),
    "forbidden": (
        "this user may not write to the database",
        "check who owns its file and folder, or the rights of its role",
    ),
    "unreachable": (
        "the database cannot be reached",
        "check DATABASE_URL, and that the server or folder is there",
    ),
}
"""Why the database cannot be used (`store.unavailable`): what is wrong, and what to do about it."""

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
    "no_card": (
        "there is no card yet: no text is sent before it is made; until then people call",
        "print the card and hand it over",
    ),
    "no_number": (
        "without a number neither a text nor a call can ask",
        "ask for another number; a task says so until there is one",
    ),
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
BY_PHONE = "Leave messaging_consent and channel empty (the telephone may stay): coordinators then call at each window."
INSTEAD = (
    f"{BY_PHONE} Or write sms-card in the column channel and give the participant the printed card: its texts hold no "
    "address and ask for no reply. "
    "Or connect a gateway of that country and state it in the study file as a route override with its reason."
)
SENDER = "Have the sender name registered with the provider before the study goes live (TWILIO_FROM)."
TRY = "Send a text and, for sms-reply, an answer from a telephone of that country before the study goes live."
ALLOWED = "{reason}; allowed by the study file: {stated}"
"""A refusal that the study file overrules."""
FINDINGS: Mapping[str, tuple[str, str]] = {
    # Texts.
    "no_texts": (
        "there are no texts in this language",
        'write the texts in this folder, or take "{language}" out of the languages',
    ),
    "text_missing": ("this text is missing", "write it, or copy that of another study and change it"),
    "text_empty": ("this text is empty", "write it"),
    "address_in_card": (
        "this text holds an internet address, or what looks like one",
        "take it out, or put a space behind the point: where cards are used, such texts do not arrive",
    ),
    "stray_brace": (
        "'{brace}' at character {place} belongs to no {{placeholder}}: small letters make one, two braces a brace",
        "write {{name}}, or {{{{ and }}}} for braces",
    ),
    "unknown_placeholder": ("unknown placeholder {{{name}}}", "known: {known}"),
    "misspelt_placeholder": ("unknown placeholder {{{name}}}", 'did you mean "{near}"?'),
    "link_missing": ("a text that invites to the page does not name it", "write {{link}} where the address goes"),
    "card_without_telephone": (
        "a text that points to the card names no telephone",
        "write {{telephone}}: whoever has lost the card, or cannot reply, calls",
    ),
    "sender_missing": (
        "this text, which nobody has just asked for, does not say who writes",
        "write {{contact}}, best at its beginning: there stands the site's short name",
    ),
    "no_link_to_give": (
        "this text has no address to give",
        "take {{link}} out: only texts of the channel sms-link carry an address",
    ),
    "stranger_is_told": (
        "the answer to an unknown number tells something about the study",
        "take the placeholders out: whoever gets it may be a stranger",
    ),
    "first_without_contact": ("the first text does not name the study's contact", "write {{telephone}}"),
    "first_without_stop": ("the first text does not say how to stop", "say that {stop} ends the texts"),
    "first_not_monitored": (
        "the first text does not say that the line is not monitored",
        "say that nobody watches this line, and where to turn in an emergency",
    ),
    # Sites.
    "site_telephone": (
        "site {site} has no telephone; every participant is told it",
        'write the study telephone, e.g. telephone = "+90 212 …"',
    ),
    "site_email": (
        "site {site} has no e-mail address; alerts need one",
        'write the study address, e.g. email = "name@hospital.example"',
    ),
    # Routes.
    "unknown_channel": ("channel {channel} is not known", "Use one of: {known}."),
    "no_answers": ("{provider} carries no answers by text in {country}", INSTEAD),
    "no_links": ("{provider} carries no links in texts in {country}", INSTEAD),
    "unsure_answers": ("it is not known whether {provider} carries answers by text in {country}", TRY),
    "unsure_links": ("it is not known whether {provider} carries links in texts in {country}", TRY),
    "unsure_texts": ("it is not known whether {provider} carries texts to {country}", TRY),
    "registered_sender": ("{country} takes texts from registered sender names only", SENDER),
    "caution": ("{country}: {caution}", TRY),
}
"""Code of a fault in a study's texts, sites or routes -> (what, what to do), with blanks for its values.

Two braces stand for one.
"""


def note_words(note: Note) -> tuple[str, str]:
    """Return (what, what to do) of a note in English, with days and instants in ISO 8601."""
    if note.code == "cell":
        return str(note.values["fault"]), str(note.values["remedy"])
    what, remedy = NOTES[note.code]
    values = {name: _plain(value) for name, value in note.values.items()}
    return what.format(**values), remedy.format(**values)


def note_fault(note: Note, line: int | None = None) -> Fault:
    """Return the note as a fault at its field."""
    what, remedy = note_words(note)
    return Fault(note.field, line, what, remedy)


def finding_words(code: str, values: Mapping[str, object]) -> tuple[str, str]:
    """Return (what, what to do) of a finding in English; KeyError for an unknown code or a missing value."""
    what, remedy = FINDINGS[code]
    return what.format(**values), remedy.format(**values)


def fault_of_code(path: str, line: int | None, code: str, **values: object) -> Fault:
    """Return the fault of this code in `FINDINGS`, with its words."""
    what, remedy = finding_words(code, values)
    return Fault(path, line, what, remedy, code, tuple(values.items()))


def closest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` with the nearest known word; an empty text if none is near."""
    near = nearest(word, known)
    return "" if near is None else f'did you mean "{near}"?'


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that this one was most likely meant to be; None if none is near."""
    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
