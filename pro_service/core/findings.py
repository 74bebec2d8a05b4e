"""The words of what can be wrong with a study's texts, sites and routes: what, and what to do. Pages translate them."""

from collections.abc import Mapping

from pro_service.core.faults import Fault

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
"""Code -> (what, what to do), with blanks for values; two braces stand for one."""


def words(code: str, values: Mapping[str, object]) -> tuple[str, str]:
    """(what, what to do), filled in."""
    what, remedy = FINDINGS[code]
    return what.format(**values), remedy.format(**values)


def fault(path: str, line: int | None, code: str, **values: object) -> Fault:
    """The fault of this code, with its words."""
    what, remedy = words(code, values)
    return Fault(path, line, what, remedy, code, tuple(values.items()))
