"""The catalogue of all that can go wrong, by code: how grave it is, what is wrong, and what to do about it.

The English words are also the keys under which pages find their translation, each pattern as a whole, before its
blanks are filled. Two braces stand for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["refuse", "warn"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can go wrong, in English, with blanks for its values."""

    severity: Severity
    """Whether what was asked for is not done, or done all the same."""
    what: str
    remedy: str
    on_page: str = ""
    """What to do in a browser, where `remedy` speaks of files or commands that its reader has not at hand."""


def _refuse(what: str, remedy: str, on_page: str = "") -> Entry:
    return Entry("refuse", what, remedy, on_page)


def _warn(what: str, remedy: str, on_page: str = "") -> Entry:
    return Entry("warn", what, remedy, on_page)


DID_YOU_MEAN = 'did you mean "{near}"?'
"""What to do about a word that is nearly a known one, whatever else the entry says: its value `near` is that word."""

_SAVE_AS = 'in the spreadsheet choose "Save as" and the type "CSV UTF-8 (comma delimited)"'
BLINDING = (
    "this looks like the allocation, and the allocation must never be in this system: nothing here could then reveal it"
)
_ONE_OF = "one of: {known}"
_DATE = "write year-month-day, e.g. 2026-05-11; in the spreadsheet, format the column as text first"
_WRITE_PHONE = "write it with + and the country's code, e.g. +90 532 123 45 67"
_AS_TEXT = "format the column as text in the spreadsheet, then type the number again"
_LOOK = "keep the database as it is, find out who changed it, and compare it with a backup"
_COMPARE = "check that the anchor was copied correctly; if so, keep the database as it is, and compare it with a backup"
_GUARD = "find out who changed it; then make it again as the migrations made it"
_THEIR_COLUMN = 'write [column.{column}], below it from = "their column"'

_FILES: Mapping[str, Entry] = {
    "too_large": _refuse("the file is larger than 256 MB", "split it, and import one part after the other"),
    "too_large_for_page": _refuse(
        "the file is too large for the dashboard",
        "import it on the command line: pro-service participant import FILE --dry-run",
    ),
    "no_file": _refuse("no file was chosen", "choose a CSV file"),
    "not_the_file": _refuse("the file that was looked at did not come back as it was", "choose it again"),
    "spreadsheet": _refuse("this is a spreadsheet's own format (xlsx, ods), not CSV", _SAVE_AS),
    "not_csv": _refuse("this is {given}, not CSV", "save or export it as CSV (UTF-8) where it comes from"),
    "names_further_down": _refuse(
        "the column names are not in this line, but in line {line}", "delete what is above them"
    ),
    "xml": _refuse(
        "this is XML, as a whole project of REDCap is saved, not CSV", "export the data (a report) as CSV / raw data"
    ),
    "data_dictionary": _refuse(
        "this is a data dictionary: the list of a project's fields, without participants",
        "export the data (a report) as CSV / raw data",
    ),
    "utf16": _refuse("the file is UTF-16, not UTF-8", _SAVE_AS),
    "no_text": _refuse("the file holds characters that no text has", _SAVE_AS),
    "not_utf8": _refuse(
        "the file is not UTF-8; it looks like Windows-1254 (Turkish) or another older alphabet", _SAVE_AS
    ),
    "empty_file": _refuse("the file is empty", "write the names of the columns in the first line: {columns}"),
    "empty_first_line": _refuse(
        "the first line is empty", "write the names of the columns in the first line: {columns}"
    ),
    "quotes_in_first_line": _refuse("the quotation marks of the first line do not match", "take the quotes out of it"),
    "quotes": _refuse(
        "the quotation marks of this line do not match: it cannot be read, and neither can what follows",
        'a cell that begins with a quote must end with one, and a quote inside is written twice ("")',
    ),
    "cell_too_long": _refuse(
        "a cell of this line has more than {most} characters",
        "close its quotation mark, if one is open; else shorten it, or take its column out",
    ),
    "too_many_columns": _refuse(
        "the first line names {n} columns, and at most {most} are read",
        "write one row for each participant, not one column; of an export take only the fields that are needed",
    ),
    "cells_missing": _refuse("{n} cells for {m} columns", "give every row as many cells as there are columns"),
    "cell_without_column": _refuse(
        "a cell without a column",
        "name the column in the first line, take it out, or put quotes around what holds the separator",
    ),
    "column_twice": _refuse("this column is there twice", "take one of them out"),
    "column_allocation": _refuse(BLINDING, "take this column out of the file"),
    "column_unknown": _refuse(
        "unknown column", "take it out; known columns: {known}", "take it out of the file, or choose its columns"
    ),
    "column_missing": _refuse("this column is missing", 'add a column "{column}"'),
    "no_rows": _refuse(
        "the file holds no participants", "write one row for each participant below the names of the columns"
    ),
}

_REDCAP: Mapping[str, Entry] = {
    "export_unmapped": _refuse(
        "this is an export of REDCap, and nothing says which of its columns is which of ours",
        "give its mapping too (--mapping MAPPING.toml)",
        "choose its columns, or send a mapping along",
    ),
    "export_empty": _refuse("the file is empty", "export it again, as CSV"),
    "export_quotes": _refuse("the quotation marks of the first line do not match", "export it again"),
    "export_allocation": _refuse(
        BLINDING,
        "take this field out of the report in REDCap, export again without it, and import that. If only its name "
        "sounds so, an investigator or an administrator can let it pass: pro-service study let-column-pass NAME --by "
        "ADDRESS --reason …",
        "take this field out of the report in REDCap, export again without it, and import that. If only its name "
        "sounds so, an investigator or an administrator can let it pass, under Column names",
    ),
    "column_not_held_up": _refuse(
        "{given} stops no import: it does not sound like the allocation", "write the name as the import shows it"
    ),
    "may_not_decide": _refuse(
        "is no investigator of this study and no administrator",
        "ask one of them to decide, and give their address",
    ),
    "export_names_arm": _refuse(
        f"a cell of this column names an arm: {BLINDING}",
        "take this field out of the report in REDCap, export again without it, and import that",
    ),
    "export_may_tell": _warn(
        "going by its name, this column may tell the allocation",
        "if it does, stop here: nobody who works with participants may have this file; export again without the column",
    ),
    "export_arms": _refuse(
        f"the events are of {{n}} arms, and in REDCap an arm is often the treatment group: {BLINDING}",
        "take this field out of the report in REDCap, export again without it, and import that",
    ),
    "export_column_twice": _refuse("this column is there twice", "export with raw headers: those are all different"),
    "export_column_missing": _refuse(
        "the mapping names this column, and the export has none of that name",
        "correct the mapping, or put the field into the report",
    ),
    "event_not_named": _refuse(
        "the export has events, and the mapping names none",
        'write event = "…" into the mapping; there are: {events}',
        "choose the event; there are: {events}",
    ),
    "event_unknown": _refuse("no row is of the event {event}", "there are: {events}"),
    "no_events": _refuse(
        "no row is of the event {event}",
        "take `event` out of the mapping: this export has no events",
        "choose no event: this export has none",
    ),
    "no_checkbox": _refuse(
        "{box} is no checkbox: {given}",
        'it must be 1 or 0, Checked or Unchecked; of a yes/no question write when_is = "Yes" below it',
        "choose a checkbox; of a yes/no question write what a yes is",
    ),
    "missing_data_code": _refuse(
        "{given} looks like a code for missing data",
        'if it is one, list it at the top of the mapping, empty = ["UNK", "NASK"]; then the cell counts as empty',
        "if it is one, write it among the codes for missing data; then the cell counts as empty",
    ),
    "mapping_no_list": _refuse("is not a list", 'write empty = ["UNK", "NASK"]'),
    "mapping_out_of_place": _refuse(
        "`when_is` goes with `when`, and `replace` with the participant's code",
        "take it out",
        "choose the question, or take out what a yes is",
    ),
    "ticked_and_empty": _refuse("{box} is ticked, and {column} is empty", "write it in REDCap and export again"),
    "value_not_mapped": _refuse("{given} is not in the mapping's values", "add it; there are: {known}"),
    "rows_differ": _refuse(
        "lines {lines} are of the same participant and say different things",
        'write instance = "last" below [column.{column}] to take the newest, or correct it in REDCap and export again',
        "choose the newest of several rows, or correct it in REDCap and export again",
    ),
    "date_not_as_mapped": _refuse(
        "{given} is not written as {format}", "correct `format` in the mapping", "choose how the dates are written"
    ),
    "mapping_not_toml": _refuse("the mapping is not TOML: this line cannot be read", "text stands in quotes"),
    "mapping_key_unknown": _refuse("unknown key", "known: {known}"),
    "mapping_no_columns": _refuse("is not a table", 'write [column.participant], below it from = "record_id"'),
    "mapping_no_table": _refuse("is not a table", _THEIR_COLUMN),
    "mapping_no_values": _refuse("is not a table", 'write values = {{ "1" = "tr", "2" = "en" }}'),
    "mapping_no_text": _refuse("is not a text", "put quotes around it"),
    "mapping_column_missing": _refuse("is missing", _THEIR_COLUMN, "choose one of the export's columns"),
    "mapping_column_unknown": _refuse("there is no such column of ours", "known columns: {known}"),
    "mapping_contact": _refuse("contact data are read as they are", "take `values` out", "leave the values empty"),
    "mapping_format": _refuse("is not a format of a date", "one of {known}, for dates alone"),
    "mapping_instance": _refuse("is no choice between several rows", 'write "last" for the newest, or take it out'),
    "mapping_one_origin": _refuse(
        "needs one of `from` and `always`",
        'write from = "their column"',
        "choose a column, or the same for everybody; not both",
    ),
    "mapping_same_for_all": _refuse(
        "cannot be the same for everybody", 'write from = "their column"', "choose one of the export's columns"
    ),
    "mapping_allocation": _refuse(
        f"{{column}}: {BLINDING}",
        "never map it; export without it. If only its name sounds so, an investigator or an administrator can let it "
        "pass",
    ),
    "mapping_names_arm": _refuse(
        f"one of these values names an arm: {BLINDING}", "never map this column; export without it"
    ),
    "mapping_values": _refuse("these values cannot be read", "write code=word, separated by commas: 1=tr, 2=en"),
}

_CELLS: Mapping[str, Entry] = {
    "code_empty": _refuse("is empty", "give every participant a code, e.g. P-001"),
    "code_decimal": _refuse(
        "{given} is a code that a program has turned into a decimal number", "write it as the study does, e.g. 001"
    ),
    "cell_too_narrow": _refuse(
        "the column was too narrow in the spreadsheet, which saved ### in the place of the value",
        "make the column wider there, and save the file again",
    ),
    "cell_of_formula": _refuse(
        "{given} is what a spreadsheet shows where a formula fails", "write the value itself, and save the file again"
    ),
    "not_a_code": _refuse(
        "{given} is not a participant code",
        "use the letters A to Z, digits, - _ . only, at most 40, and begin with a letter or digit; no names. Of "
        'record ids a mapping changes signs: [column.participant] replace = {{ " " = "-", "/" = "-" }}',
        "use the letters A to Z, digits, - _ . only, at most 40, and begin with a letter or digit; no names",
    ),
    "code_names_arm": _refuse(
        f"this code names an arm: {BLINDING}", "give codes that tell nothing, e.g. P-001: texts and pages show them"
    ),
    "code_may_tell": _warn(
        "this code may tell the allocation", "if it does, stop here, and give codes that tell nothing, e.g. P-001"
    ),
    "empty": _refuse("is empty", _ONE_OF),
    "not_a_site": _refuse("{given} is not a site of this study", _ONE_OF),
    "not_your_site": _refuse("{given} is not your site", "have it enrolled by somebody of that site"),
    "not_a_language": _refuse("{given} is not a language of this study", _ONE_OF),
    "not_a_channel": _refuse("{given} is not a channel", _ONE_OF),
    "ladder_gap": _refuse("a channel is missing beside a >", "write one between every two, or take the > out"),
    "ladder_only_calls": _refuse(
        "calls is not a channel: people call where no channel reaches somebody",
        "leave this and the consents empty: then people call; or write one of: {known}",
    ),
    "ladder_calls_not_last": _refuse(
        "no channel may follow calls", "write calls at the end, or leave it out: both mean the same"
    ),
    "ladder_medium_twice": _refuse(
        "{channels} go the same way: if one fails, the other fails too",
        "keep one of them: at most one by text, one by mail and one by WhatsApp",
    ),
    "not_to_withdraw_from": _refuse("{given} is not a thing to withdraw from", _ONE_OF),
    "date_empty": _refuse("is empty", _DATE),
    "date_ambiguous": _refuse("{given} can be read in more than one way: {days}", _DATE),
    "date_in_other_order": _refuse(
        "{given} is not written as year-month-day",
        "write {day}; of an export of REDCap the mapping says how its dates are written (format)",
        "write {day}; of an export of REDCap choose how its dates are written",
    ),
    "date_as_number": _refuse(
        "{given} is a spreadsheet's number for a day, {day}",
        "format the column as a date, year-month-day, and save the file again",
    ),
    "not_a_date": _refuse("{given} is not a date", _DATE),
    "not_in_calendar": _refuse("{given} is not in the calendar", _DATE),
    "not_of_a_study": _refuse("{given} is not a date of a study", _DATE),
    "not_a_time": _refuse("{given} is not a time of day", "write hours and minutes, e.g. 14:30, or leave it empty"),
    "consent_in_future": _refuse(
        "the consent lies in the future", "write when it was given; leave it empty if it was not yet"
    ),
    "consent_without_date": _refuse("a consent needs its date", "write the day on which it was given, e.g. 2026-05-11"),
    "consent_refused": _refuse(
        "no consent is written as an empty cell", "leave it empty: this participant is only called"
    ),
    "consent_without_zone": _refuse(
        "{given} says no time zone", "write the day alone, or add the offset: 2026-05-11T10:00+03:00"
    ),
    "consent_not_of_a_study": _refuse(
        "{given} is not a date of a study", "write the day on which it was given, e.g. 2026-05-11"
    ),
    "not_an_email": _refuse("is not an e-mail address", "write one address, name@host, or leave it empty"),
    "not_an_answer": _refuse(
        "{given} is not an answer to this item", "write a whole number from {least} to {most}, or leave it empty"
    ),
    "zone_of_machine": _refuse(
        "{given} is the setting of a machine, not the time zone of a place",
        "write an IANA name, e.g. Europe/Istanbul, or leave it empty",
    ),
    "not_a_zone": _refuse("{given} is not a time zone", "write an IANA name, e.g. Europe/Istanbul, or leave it empty"),
}

_PHONES: Mapping[str, Entry] = {
    "phone_cut_short": _refuse("a spreadsheet has cut this number short (as in 9.05E+11): digits are lost", _AS_TEXT),
    "phone_decimal": _refuse("a spreadsheet has made a decimal number of it", _AS_TEXT),
    "phone_letter_o": _refuse("holds the letter O where a digit should be", "write the digit 0 (zero)"),
    "phone_none": _refuse(
        "a missing telephone is written as an empty cell", "leave it empty: a task asks for the number"
    ),
    "phone_several": _refuse("holds more than one number", f"give one number of digits; {_WRITE_PHONE}"),
    "phone_characters": _refuse(
        "holds characters that no telephone number has", f"give one number of digits; {_WRITE_PHONE}"
    ),
    "not_a_phone": _refuse("is not a telephone number", _WRITE_PHONE),
    "phone_does_not_exist": _refuse(
        "is not a number that exists", f"count its digits and check the country's code; {_WRITE_PHONE}"
    ),
    "phone_of_neighbour": _refuse(
        "is no mobile number of {country}; it may be one of {others}",
        "if so, write it with that country's code ({prefixes}); else count its digits",
    ),
    "phone_of_study": _refuse(
        "is the study's own telephone: texts come from it, or a site is called on it",
        "give the participant's own number",
    ),
    "phone_service": _refuse("is a service number, nobody's telephone", "give the participant's own mobile number"),
    "phone_0850": _refuse("0850 is a company's number: it takes no texts", "give the participant's own mobile number"),
    "phone_444": _refuse("444 is a company's number: it takes no texts", "give the participant's own mobile number"),
    "landline": _refuse(
        "is a landline, internet or personal number, and texts are read on a mobile telephone",
        "give a mobile number; or leave the consent to messages and the channel empty: then people call",
    ),
    "no_texts_to_landlines": _refuse(
        "{provider} sends no texts to landlines in {country}",
        "give a mobile number; or leave the consent to messages and the channel empty: then people call",
    ),
    "northern_cyprus": _refuse(
        "the number begins with {prefix}, which is used in Northern Cyprus, which the provider does not serve",
        "leave the consent to messages and the channel empty: then people call",
    ),
}

_BY_PHONE = "leave the consent to messages and the channel empty (the telephone may stay): people then call"
_INSTEAD = (
    f"{_BY_PHONE}. Or choose the channel sms-card and give the participant the printed card: its texts hold no address "
    "and ask for no reply. Or connect a gateway of that country and state it in the study file as a route override "
    "with its reason"
)
_INSTEAD_ON_PAGE = (
    "choose the printed card, or leave the consent and the channel empty: then people call. The number may "
    "stay if it is only called."
)
_OTHER_WORKS = "choose the channel {other}: it works there"
_NO_ANSWERS = "{provider} carries no answers by text in {country}"
_NO_LINKS = "{provider} carries no links in texts in {country}"
_TRY = "Send a text and, for sms-reply, an answer from a telephone of that country before the study goes live."
_TRY_ON_PAGE = (
    "Before the study begins, send a text to a telephone of that country, and answer it where participants answer by "
    "text."
)

_ROUTES: Mapping[str, Entry] = {
    "no_answers": _refuse(_NO_ANSWERS, _INSTEAD, _INSTEAD_ON_PAGE),
    "no_links": _refuse(_NO_LINKS, _INSTEAD, _INSTEAD_ON_PAGE),
    "no_answers_but": _refuse(_NO_ANSWERS, _OTHER_WORKS),
    "no_links_but": _refuse(_NO_LINKS, _OTHER_WORKS),
    "no_answers_allowed": _warn(f"{_NO_ANSWERS}; allowed by the study file: {{stated}}", _TRY, _TRY_ON_PAGE),
    "no_links_allowed": _warn(f"{_NO_LINKS}; allowed by the study file: {{stated}}", _TRY, _TRY_ON_PAGE),
    "provider_not_configured": _refuse(
        "texts of the site {site} go by {provider}, which is not configured",
        "set {settings}, or take `provider` out of the study file",
        "Ask the person who runs this service to configure the provider, or choose calls for this participant.",
    ),
    "version_lacks_channel": _refuse(
        "this version of the study has no texts for the channel {channel}",
        "load the study file again: `pro-service study load`; WhatsApp needs [[whatsapp_template]] in it, too",
        "Ask the person who runs this service to load the study file again.",
    ),
    "channel_not_configured": _refuse(
        "the channel {channel} is not configured",
        "set {settings}, or leave the channel out",
        "Ask the person who runs this service to configure it, or leave the channel out.",
    ),
    "way_not_configured": _warn(
        "nobody can be asked this way, because it is not configured",
        "set {settings} before somebody is to be asked by it; else there is nothing to do",
        "If somebody is to be asked so, ask the person who runs this service to configure it.",
    ),
    "way_without_texts": _warn(
        "this version has no texts for this way of asking",
        "if somebody is to be asked by it, load the study file again: `pro-service study load`",
        "If somebody is to be asked so, ask the person who runs this service to load the study file again.",
    ),
    "unsure_answers": _warn(
        "it is not known whether {provider} carries answers by text in {country}", _TRY, _TRY_ON_PAGE
    ),
    "unsure_links": _warn("it is not known whether {provider} carries links in texts in {country}", _TRY, _TRY_ON_PAGE),
    "unsure_texts": _warn("it is not known whether {provider} carries texts to {country}", _TRY, _TRY_ON_PAGE),
    "registered_sender": _warn(
        "{country} takes texts from registered sender names only",
        "Have the sender name registered with the provider before the study goes live (TWILIO_FROM).",
        "Ask the person who runs this service to register the sender name with the provider before the study begins.",
    ),
    "reply_to_name": _warn(
        "nobody can reply to a sender that is a name, and participants of {sites} answer by reply",
        "send from a number, name the one that takes replies (VERIMOR_REPLY_TO), or choose the channel sms-link or "
        "sms-card for them",
        "Ask the person who runs this service to send from a number, or choose another way for them.",
    ),
    "sender_to_agree": _warn(
        "{country}: operators block business texts from ordinary mobile numbers; agree the sender with the provider "
        "first",
        _TRY,
        _TRY_ON_PAGE,
    ),
}

_ENROLMENT: Mapping[str, Entry] = {
    "no_protocol": _refuse("this study has no protocol", "pro-service study load FILE"),
    "no_participant": _refuse("there is no participant {code}", "`pro-service participant list` lists all"),
    "code_again": _refuse(
        "the code of line {line} again (capital letters and leading zeros do not tell two participants apart)",
        "take one of the rows out, or give one of the participants another code",
    ),
    "code_nearly_taken": _refuse(
        "{code} is enrolled already as {there} (capital letters and leading zeros do not tell two participants apart)",
        "if it is the same person, write the code in just that way (a spreadsheet takes the zeros off unless the "
        "column is formatted as text); if not, give this participant another code",
    ),
    "changed_here": _warn(
        "{code}: {column} was changed here on {day}, and the row says what stood here before",
        "nothing is changed here; correct it where the file comes from",
    ),
    "person_enrolled": _warn(
        "the telephone, site and procedure date are those of {there}, who is enrolled already",
        "if it is the same person, take {code} out: they would be asked twice",
    ),
    "phone_enrolled": _warn(
        "the telephone is that of {there} too, who is enrolled already",
        "check the number; if two people share it, leave it: their texts take turns",
    ),
    "person_again": _warn(
        "the telephone, site and procedure date are those of line {line}",
        "if it is the same person, take one of the rows out: they would be asked twice",
    ),
    "phone_again": _warn(
        "the telephone is that of line {line} too",
        "check the number; if two people share it, leave it: their texts take turns",
    ),
    "enrolled_elsewhere": _refuse(
        "{code} is enrolled at another site", "check the code, or give this participant another"
    ),
    "consent_of_dead_row": _refuse(
        "{code} has died: no consent to messages is recorded any more",
        "leave this cell empty; if the death was entered by mistake, that is undone first",
    ),
    "enrolled_otherwise": _refuse(
        "{code} is enrolled already, with another {column}",
        "to change it: pro-service participant {command} --reason …; then import again",
        "nothing is changed from here: open the participant and change it there, or give another code",
    ),
    "enrolled_otherwise_for_good": _refuse(
        "{code} is enrolled already, with another {column}",
        "an import never changes who is enrolled: compare with `pro-service participant show {code}`, then correct "
        "the row or take it out",
        "an import never changes who is enrolled: compare with the participant's page, then correct the row or take "
        "it out",
    ),
    "no_phone": _warn(
        "{code} has no telephone number: neither a text nor a call can ask",
        "give the number; until then a task asks for it",
    ),
    "no_phone_but_consent": _warn(
        "{code} has no telephone number although texts are agreed to: neither a text nor a call can ask",
        "give the number; until then a task asks for it",
    ),
    "no_phone_but_mail": _warn(
        "{code} has no telephone number: mails ask, and nobody can call",
        "give the number, if there is one: a window is often saved by a call",
    ),
    "rung_without_consent": _warn(
        "{code}: {channel} is skipped, because no consent to it is given",
        "give the day of the consent, or take {channel} out of the ladder",
    ),
    "rung_without_address": _warn(
        "{code}: {channel} is skipped, because there is no e-mail address",
        "give the address, or take {channel} out of the ladder",
    ),
    "consent_without_rung": _warn(
        "{code}: this consent is recorded, but no channel of the ladder needs it",
        "add a channel that does: whatsapp>sms-reply>email-link, for example",
        "add a channel that does",
    ),
    "reached_by_none": _warn(
        "no channel of the ladder reaches {code}: people call",
        "if they are to be asked in writing, give a consent and an address for one of its channels",
    ),
    "email_changed_here": _warn(
        "{code}: {column} was changed here on {day}, and the row has another one",
        "nothing is changed here; if the row's is the right one, change it on the participant's page, else correct it "
        "where the file comes from",
    ),
    "end_in_future": _warn(
        "the procedure's end lies in the future",
        "leave it empty until the procedure has ended, if this is only planned",
    ),
    "texts_unfit_for_card": _refuse(
        "these texts are missing or hold an internet address: {texts}",
        "correct them in templates/sms/{language}, then load the study again: pro-service study load FILE",
        "ask the person who set up the study to correct them, or choose another channel",
    ),
    "kept_texts_unfit_for_card": _refuse(
        "these texts of the version they keep are missing or hold an internet address: {texts}",
        "load the study with texts that do not, then move them: pro-service study migrate --participant CODE",
        "ask the person who set up the study to correct them, or choose another channel",
    ),
}

_CARDS: Mapping[str, Entry] = {
    "nobody_chosen": _refuse("nobody is chosen", "choose at least one participant"),
    "no_handing_day": _refuse("this is no day", "write the day on which it was handed over"),
    "card_not_made": _refuse("{code} has no card yet", "print it first"),
    "handed_in_future": _refuse("this day is still to come", "write the day on which it was handed over"),
    "handed_before_made": _refuse("the card of {code} was made after that day", "check the day"),
    "too_many_cards": _refuse(
        "these are {n} cards, and at most {most} are printed at once", "name fewer, then the others"
    ),
    "card_reason_empty": _refuse("is empty", "say why, e.g. card lost"),
    "erased_already": _refuse(
        "{code} was erased already, at {at}",
        "nothing is left to be done; `pro-service participant erased` shows what became of copies at the provider",
        "Nothing is left to be done.",
    ),
    "erasure_asked_already": _refuse(
        "the erasure of {code} was asked for already",
        "an investigator decides about it; withdraw the request if it is not wanted any more",
    ),
    "erasure_not_waiting": _refuse(
        "this request has ended meanwhile", "nothing was changed: look at what became of it"
    ),
    "erasure_own": _refuse("you asked for this erasure yourself", "another investigator of this site decides about it"),
    "erasures_unreadable": _refuse(
        "this is not a list of erasures", "give the file that `pro-service participant erased --out FILE` has written"
    ),
    "erasures_of_another": _refuse(
        "the key of {code} in this list is not the one in this database",
        "the list belongs to another database, and nobody was erased; give the list of this database",
    ),
    "erase_safety": _warn(
        "open tasks about safety, and nobody can be called after this: {count}",
        "settle them first",
    ),
    "erase_in_doubt": _warn(
        "messages that may or may not have been sent; the provider may keep a copy of them: {count}",
        "wait a few minutes until it is known, or look for the number in the provider's log",
    ),
    "erase_shared": _warn(
        "telephones that somebody else has or had too; messages from these stay if their sender is not known: {count}",
        "they are erased together with the last participant who has or had the telephone",
    ),
    "erase_left_reasons_in_trail": _warn(
        "rows of the audit trail with typed reasons that are not encrypted: {count}",
        "the trail is never rewritten: check whether one of them names the person, and note it in the trial file",
    ),
    "erase_left_masked_contact_in_trail": _warn(
        "rows of the audit trail with masked contact data (a country code and the last digits): {count}",
        "the trail is never rewritten; the digits do not show whose number it was",
    ),
    "erase_left_reasons_in_inbox": _warn(
        "rows of the inbox's log with typed reasons that are not encrypted: {count}",
        "this log is never rewritten: check whether one of them names the person, and note it in the trial file",
    ),
    "erase_copies_kept": _warn(
        "copies at the provider that could not be deleted: {count}",
        "delete them in the provider's console: `pro-service participant erased --json` lists their ids",
        "The people who run the service can list and delete them.",
    ),
    "erased": _refuse(
        "this participant's contact data was erased",
        "nothing is left to be done: this participant is not asked any more",
    ),
}

_CHANGES: Mapping[str, Entry] = {
    "unknown_action": _refuse("there is no such change", "choose one of those offered"),
    "needs_reason": _refuse(
        "a reason is needed", "say in a few words why (at most {most} characters; no name, no treatment)"
    ),
    "in_future": _refuse("this day is still to come", "write the day on which it happened, or leave it empty for now"),
    "not_ahead": _refuse("this day has begun already", "choose a later day; to end a pause, choose resume"),
    "no_day_needed": _refuse(
        "messages stop at once: a day changes nothing", "leave the day empty; it is for a withdrawal from the study"
    ),
    "has_died": _refuse("this participant has died", "nothing is left to withdraw from"),
    "consent_of_dead": _refuse(
        "this participant has died: no consent to messages is recorded any more",
        "leave it empty; if the death was entered by mistake, that is undone first",
    ),
    "has_left_for_good": _refuse(
        "this participant has left the study", "nothing is sent any more, so there is no pause"
    ),
    "number_or_none": _refuse("a number, and the wish to remove it", "give one of the two"),
    "needs_number": _refuse("no number is given", "write the new number, or say that the old one is to be removed"),
    "address_or_none": _refuse("an address, and the wish to remove it", "give one of the two"),
    "needs_address": _refuse("no address is given", "write the new address, or say that the old one is to be removed"),
    "not_a_medium": _refuse("{given} is nothing that a consent is given for", _ONE_OF),
    "consent_not_said": _refuse("nothing is said about the consent to messages", "choose one of the answers"),
    "needs_consent_day": _refuse(
        "the day of the consent is missing", "write the day on which it was given for what is new"
    ),
    "consent_day_or_not": _refuse(
        "a day of consent, and another answer about the consent",
        "choose that it was given for what is new, or leave the day empty",
    ),
    "nothing_stands": _refuse(
        "no consent to messages was ever given",
        "write the day on which it was given for what is new, or leave it empty: then nothing is sent to it",
    ),
    "given_or_taken_back": _refuse(
        "was the consent given, or taken back?",
        "write the day on which it was given, or say that it is taken back; one of the two",
    ),
    "before_opt_out": _refuse(
        "this consent was given before the participant stopped the messages on {day}",
        "record the consent that was given since; an older one does not undo a stop",
    ),
    "site_gone": _refuse(
        "the new version has no site {site}", "move the participant first, or keep the site in the file"
    ),
    "language_gone": _refuse(
        "the new version has no language {language}", "change the participant's language first, or keep it in the file"
    ),
    "item_gone": _refuse(
        "the new version has no item {item}, which was asked already",
        "keep the item in the file; leave it out of the time points that shall not ask it",
    ),
    "before_start": _warn("the procedure on {day} is before the study's start ({start})", "check the date"),
    "after_end": _warn("the procedure on {day} is after the study's end ({end})", "check the date"),
    "last_after_end": _warn("the last window closes on {last}, after the study's end ({end})", "check the date"),
    "no_working_day": _warn(
        "window {window} ({first} to {last}) holds no working day: nobody can call in it",
        "plan who looks after it, or check the date",
    ),
    "window_over": _warn(
        "window {window} is over already: it counts as missed unless an answer goes along, and asks for a reason",
        "give the reason in the task that follows",
    ),
    "to_be_confirmed": _warn(
        "nothing is sent before somebody confirms that the procedure took place on {day}", "confirm it once it has"
    ),
    "has_left": _warn("this participant has left the study: nothing is sent", "only the windows' dates change"),
    "baseline_after": _warn(
        "the baseline was measured on {measured}, after the procedure on {day}", "it is kept; check both dates"
    ),
    "baseline_before": _warn(
        "the baseline was measured on {measured}, some time before the procedure on {day}",
        "it is kept as the baseline; measure it again if the protocol asks for that",
    ),
    "zone_stays": _warn(
        "the participant's own clock stays {zone}",
        "change the time zone too if the participant lives by another clock now",
    ),
    "not_laid": _warn("the new version's {window} is over already and is not laid out", "nothing is to be done"),
    "paused_to_the_end": _warn(
        "no window is left after this pause: there will be no more prompts at all",
        "choose an earlier day unless that is meant; people still call",
    ),
    "window_in_pause": _warn("window {window} closes during the pause", "people call for it; nothing else asks"),
    "no_card": _warn(
        "there is no card yet: no text is sent before it is made; until then people call",
        "print the card and hand it over",
    ),
    "no_number": _warn(
        "without a number neither a text nor a call can ask",
        "ask for another number; a task says so until there is one",
    ),
    "calls_only": _warn(
        "without a consent for this number nothing is sent to it: people call",
        "record the consent as soon as it is given",
    ),
    "shared": _warn(
        "another participant has this number too",
        "check that it is right: texts from a shared telephone may need a person",
    ),
}

_TEXTS: Mapping[str, Entry] = {
    "speaks_of_allocation": _refuse(
        'speaks of the allocation: "{word}"',
        "leave it out: readers could tell, or guess, which treatment somebody has",
    ),
    "no_texts": _refuse(
        "there are no texts in this language",
        'write the texts in this folder, or take "{language}" out of the languages',
    ),
    "text_missing": _refuse("this text is missing", "write it, or copy that of another study and change it"),
    "text_empty": _refuse("this text is empty", "write it"),
    "address_in_card": _refuse(
        "this text holds an internet address, or what looks like one",
        "take it out, or put a space behind the point: where cards are used, such texts do not arrive",
    ),
    "stray_brace": _refuse(
        "'{brace}' at character {place} belongs to no {{placeholder}}: small letters make one, two braces a brace",
        "write {{name}}, or {{{{ and }}}} for braces",
    ),
    "unknown_placeholder": _refuse("unknown placeholder {{{name}}}", "known: {known}"),
    "link_missing": _refuse(
        "a text that invites to the page does not name it", "write {{link}} where the address goes"
    ),
    "card_without_telephone": _refuse(
        "a text that points to the card names no telephone",
        "write {{telephone}}: people who have lost the card, or cannot reply, call it",
    ),
    "sender_missing": _refuse(
        "this text, which nobody has just asked for, does not say who writes",
        "write {{contact}}, best at its beginning: there stands the site's short name",
    ),
    "turn_missing": _refuse(
        "this text does not say which participant it is for; several may use one telephone",
        "write {{code}}: nothing can be put before a text of WhatsApp",
    ),
    "no_link_to_give": _refuse(
        "this text has no address to give",
        "take it out: only the channels sms-link and email-link carry an address, and only mails {{stop_link}}",
    ),
    "subject_missing": _refuse(
        "this mail has no subject", "write the subject in the first line, then an empty line, then what the mail says"
    ),
    "subject_tells": _refuse(
        "the subject of this mail may tell something about the study or the participant, and others may see it",
        "write a first line without placeholders",
    ),
    "stop_link_missing": _refuse(
        "this mail does not say how to end the messages", "write {{stop_link}} where that address goes"
    ),
    "stranger_is_told": _refuse(
        "the answer to an unknown number tells something about the study",
        "take the placeholders out: its reader may be a stranger",
    ),
    "first_without_contact": _refuse("this text does not name the study's contact", "write {{telephone}}"),
    "first_without_stop": _refuse("this text does not say how to stop", "say that {stop} ends the texts"),
    "first_not_monitored": _refuse(
        "this text does not say that the line is not monitored",
        "say that nobody watches this line, and where to turn in an emergency",
    ),
    "emergency_of_elsewhere": _warn(
        "names {given}, but these sites have another emergency number: {sites}",
        "write {{emergency}}: the number of the participant's own site stands there",
    ),
    "emergency_unknown": _warn(
        "which number is called in an emergency in {country} is not known here: participants are told {number}",
        'write it at the site: emergency = "…"',
    ),
    "site_telephone": _refuse(
        "site {site} has no telephone; every participant is told it",
        'write the study telephone, e.g. telephone = "+90 212 …"',
    ),
    "site_email": _refuse(
        "site {site} has no e-mail address",
        'write the study address, e.g. email = "name@hospital.example"',
    ),
}

_NUMBER = "write a whole number from {least} to {most}"
_DAY = "write year-month-day, e.g. 2026-06-22"
_CLOCK = 'write hours and minutes, e.g. "09:00"'
_DURATION = "write an ISO 8601 duration, e.g. {example}"
_LIST = 'write a list in brackets: ["…", "…"]'
_FROM_HERE = "write [{path}] and its keys below"
_EACH = "write [[{key}]] and its keys below"

_TOML: Mapping[str, Entry] = {
    "not_toml": _refuse(
        "this is not TOML: {error}",
        "mend this line; a text is in quotes, a table begins with [name]: see https://toml.io",
    ),
    "key_unknown": _refuse('unknown key "{key}"', "known keys here: {known}"),
    "key_empty": _refuse("is empty", "write the text"),
    "text_key_missing": _refuse("is missing", 'write it in quotes: "…"'),
    "no_text_key": _refuse("is not a text", 'write it in quotes: "…"'),
    "flag_missing": _refuse("is missing", "write true or false without quotes"),
    "no_flag": _refuse("is not true or false", "write true or false without quotes"),
    "number_missing": _refuse("is missing", _NUMBER),
    "no_number_key": _refuse("is not a whole number", _NUMBER),
    "number_out_of_range": _refuse("{given} is out of range", _NUMBER),
    "day_missing": _refuse("is missing", _DAY),
    "no_day": _refuse('"{given}" is not a date', _DAY),
    "clock_missing": _refuse("is missing", _CLOCK),
    "no_clock": _refuse('"{given}" is not a time of day: hours from 00 to 23, minutes from 00 to 59', _CLOCK),
    "hours_backwards": _refuse("these hours end before they begin", 'write "from" before "to"; midnight is "24:00"'),
    "duration_missing": _refuse("is missing", _DURATION),
    "no_duration": _refuse('"{given}" is not an ISO 8601 duration', _DURATION),
    "duration_of_hours": _refuse('"{given}" counts hours, and days are counted here', _DURATION),
    "duration_of_months": _refuse('"{given}" counts months, and a month has no fixed length', _DURATION),
    "duration_too_long": _refuse('"{given}" is longer than ten years', _DURATION),
    "duration_negative": _refuse('"{given}" is negative', _DURATION),
    "choice_unknown": _refuse('"{given}" is not known', _ONE_OF),
    "list_missing": _refuse("is missing", _LIST),
    "no_list": _refuse("is not a list of texts", _LIST),
    "list_empty": _refuse("is empty", _LIST),
    "entry_empty": _refuse("is empty", "write the text or take it out"),
    "entry_twice": _refuse('"{given}" is there twice', "take one of them out"),
    "table_missing": _refuse("is missing", _FROM_HERE),
    "no_table": _refuse("must be a table", _FROM_HERE),
    "tables_missing": _refuse("is missing", _EACH),
    "no_tables": _refuse("must be a list of tables", _EACH),
    "tables_empty": _refuse("is empty", _EACH),
    "code_unfit": _refuse('"{given}" is not a code', "write capital letters, digits and hyphens, at most 24"),
    "code_twice": _refuse('"{given}" is there twice', "give each one a code of its own"),
    "content_sid_unfit": _refuse('"{given}" is not the id of a template', "write HX and 32 digits from 0 to f"),
    "template_twice": _refuse("{other} is the template of {frame} in {language} already", "take one of them out"),
    "template_missing": _refuse(
        "{frame} has no template in {language}",
        "give it one: nobody who has not written for a day gets any other message on WhatsApp",
    ),
    "button_unfit": _refuse(
        "is one button too many, or too long", "WhatsApp shows {most} buttons at the most, of {longest} characters each"
    ),
}

_STUDY: Mapping[str, Entry] = {
    "no_language_code": _refuse(
        '"{given}" is not a language code', 'write the two-letter ISO 639-1 code, e.g. "tr", "en"'
    ),
    "study_backwards": _refuse("the study ends before it starts", 'write "starts" before "ends"'),
    "range_empty": _refuse("the range is empty or runs backwards", 'write a "maximum" above the "minimum"'),
    "choices_unfit": _refuse(
        "{n} choices for {wanted} values ({least} to {most})", "write {wanted} labels, or take the choices out"
    ),
    "review_at_outside": _refuse("{given} is not a value of this item", "write a value from {least} to {most}"),
    "review_rise_impossible": _refuse("a rise of {given} cannot happen", "write a rise of at most {most}"),
    "no_primary": _refuse("no item is primary", 'write "primary = true" at the item that decides completion'),
    "second_primary": _refuse("a second primary item", "leave one primary item"),
    "item_unknown": _refuse('unknown item "{item}"', "known items: {known}"),
    "item_no_column": _refuse(
        'in files of data it would be called "{given}", which SAS, Stata or SPSS cannot take',
        "begin with a letter, use at most {most} letters, digits and hyphens, and no word of theirs (byte, int)",
    ),
    "item_column_taken": _refuse(
        'in files of data it would be called "{given}", and a column of that name is there already',
        "give it another id",
    ),
    "study_day_zero": _refuse("there is no study day 0", "write 1 for the day of the procedure"),
    "clinic_asks": _refuse(
        "a clinic time point asks nobody by message or telephone", 'take it out, or write mode = "message"'
    ),
    "too_many_minutes": _refuse("is more than three days", 'use "target", "first_day" and "last_day"'),
    "minutes_backwards": _refuse("the window runs backwards", 'write "from" before "target" before "to"'),
    "minutes_for_messages": _refuse(
        "a window of minutes is too short for messages",
        'write mode = "clinic", or "target", "first_day" and "last_day"',
    ),
    "window_backwards": _refuse("the window runs backwards", 'write a "last_day" that is not before "first_day"'),
    "target_outside": _refuse(
        "the target lies outside", 'write "first_day" at or before the target (-P1D, P0D) and "last_day" at or after it'
    ),
    "late_before_end": _refuse(
        "late answers would end before the window does", 'write an offset from the target that is not before "last_day"'
    ),
    "primary_not_asked": _refuse("no primary item is asked here", 'add "{item}"'),
    "invitation_missing": _refuse("is missing", 'write invitation = {{ after = "P0D", at = "10:00" }}'),
    "too_many_reminders": _refuse("too many reminders: there are no texts for more", "leave at most {most} reminders"),
    "call_missing": _refuse(
        "is missing", 'write call = {{ after = "P2D", at = "09:00" }}: a telephone call is what saves a window'
    ),
    "prompt_after_close": _refuse(
        "this prompt comes after the window closed", "write a day from {least} to {most} after the target"
    ),
    "prompt_before_open": _refuse(
        "this prompt comes before the window opens", "write a day from {least} to {most} after the target"
    ),
    "prompt_useless": _refuse("less than {hours} hours before close: it would never be sent", "move it earlier"),
    "prompts_unordered": _refuse(
        "prompts are not in order: there is at most one a day", "write a later day than that of the prompt before"
    ),
    "call_after_close": _refuse("the call task is not before close", "move it inside the window"),
    "call_before_invitation": _refuse("the call task is not after the invitation", "move it after the invitation"),
    "time_point_taken": _refuse('the code "{code}" is taken by {other}', "give every time point a code of its own"),
    "time_points_unordered": _refuse(
        "{code} comes before {earlier} in time but after it in the file",
        "put the time points in the order of their targets",
    ),
    "windows_overlap": _refuse(
        "windows {earlier} and {later} overlap: after a procedure on {day}, {earlier} lasts to {last} and {later} "
        "opens on {first}",
        'change "last_day" of one or "first_day" of the other',
    ),
    "level_deadline": _refuse("needs one deadline", 'write either "due_working_days" or "due_hours"'),
    "ladder_circle": _refuse("the ladder leads back to this level", "let the ladder end somewhere"),
    "no_role": _refuse('"{given}" is not a role', _ONE_OF),
    "role_without_tasks": _refuse('"{given}" has no list of tasks, so that nobody would see them', _ONE_OF),
    "zone_unknown": _refuse('there is no time zone "{zone}"', 'write an IANA name, e.g. "Europe/Istanbul"'),
    "country_unknown": _refuse('there is no country "{country}"', 'write the two letters of ISO 3166-1, e.g. "TR"'),
    "site_telephone_unfit": _refuse(
        '"{given}" is not an international telephone number', "write it with + and the country's code: +90 212 …"
    ),
    "site_emergency_unfit": _refuse('"{given}" is not an emergency number', 'write its digits, e.g. emergency = "112"'),
    "provider_unknown": _refuse(
        '"{given}" carries no texts here',
        "write one of {known}, or leave `provider` out: then the telephone's country decides",
    ),
    "site_email_unfit": _refuse('"{given}" is not an e-mail address', "write name@host"),
    "nobody_has_a_share": _refuse("nobody has a share", "give at least one of them a share above 0"),
    "within_unfit": _refuse("is shorter than `after`, or longer than 60 days", 'write a longer time, e.g. "PT2H"'),
}

_STUDIES: Mapping[str, Entry] = {
    "no_study": _refuse("there is no study yet", "load one first: pro-service study load FILE"),
    "study_unknown": _refuse("there is no such study", "name one with --study: {known}"),
    "several_studies": _refuse("there are several studies", "name one with --study: {known}"),
    "version_again": _refuse(
        "this is version {number} again, and version {newest} has replaced it",
        "a version is never made current twice: change something in it, for instance the title",
    ),
    "text_not_utf8": _refuse("this text is not UTF-8", "save it as UTF-8"),
    "version_not_newest": _refuse(
        "the version you read is no longer the newest: version {number} is",
        "read that one: pro-service study confirm --dry-run",
        "read what has changed in it, and confirm that one",
    ),
    "version_confirmed": _refuse("version {number} was confirmed already", "nothing is to be done"),
    "version_draft": _refuse(
        "the study file says draft = true",
        "settle what is open, take that line out and load the file again",
        "It is a draft. Settle what is open and have the file loaded again without the line draft = true.",
    ),
    "version_unconfirmed": _refuse(
        "no investigator has confirmed version {number}: participants moved to it would get no messages",
        "confirm it first: pro-service study confirm --by EMAIL --reason T",
    ),
    "no_investigator": _refuse(
        "may not confirm this study",
        "name an investigator of all its sites, with an account that is in use: pro-service user list",
        "Only an investigator of all sites of the study can confirm it.",
    ),
}

_TRAIL: Mapping[str, Entry] = {
    "not_an_anchor": _refuse(
        '"{given}" is not an anchor',
        "copy it whole from a mail or the log: a number, a colon and 64 hexadecimal digits",
    ),
    "role_name_unfit": _refuse(
        '"{given}" cannot be the name of a role',
        "use small letters, digits and underscores, and do not begin with a digit",
    ),
    "not_a_proof": _refuse("this is no proof of an audit trail", "give a file that `audit proof` has written, whole"),
    "proof_differs": _refuse(
        "this proof does not hold: {part}", "ask for a new one; if it does not hold either, the trail was changed"
    ),
    "study_closed": _refuse(
        "the study is closed", "nothing is asked or planned any more; a participant can still leave the study"
    ),
    "study_locked": _refuse(
        "the data of this study are locked",
        "an investigator unlocks them with a reason: pro-service study unlock",
        "An investigator can unlock them under Study, with a reason.",
    ),
    "study_closed_already": _refuse("the study was closed already, at {at}", "there is nothing left to do"),
    "study_open": _refuse("the study is not closed", "close it first: pro-service study close", "Close it first."),
    "study_closing": _refuse(
        "{count} windows are not counted yet",
        "the next tick counts them: try again in a minute",
        "Try again in a minute.",
    ),
    "study_not_locked": _refuse("the data are not locked", "there is nothing to unlock"),
    "study_locked_already": _refuse("the data were locked already, at {at}", "there is nothing left to do"),
    "not_their_study": _refuse(
        "is not an investigator of all sites of this study", "name one who is", "Only an investigator of all sites can."
    ),
    "nothing_sealed": _refuse(
        "nothing about {code} is sealed yet", "run `pro-service audit seal`, or wait a minute while the scheduler runs"
    ),
    "trail_edited": _refuse("this row was changed after it was written", _LOOK),
    "trail_missing": _refuse("this row was in the trail, and is gone", _LOOK),
    "trail_inserted": _refuse("this row was put in later, among rows that were sealed", _LOOK),
    "trail_reordered": _refuse("this row stands in the place of row {other}", _LOOK),
    "trail_tail_cut": _refuse("the trail ends too early: {count} sealed rows from this one on are gone", _LOOK),
    "trail_unsealed": _refuse(
        "{count} rows from this one on have waited for a seal for over 10 minutes, although seals are made",
        "look in the log for why sealing fails",
    ),
    "trail_seal_missing": _refuse("a seal before this one is missing", _LOOK),
    "trail_seal_loose": _refuse("this seal does not follow from the one before it", _LOOK),
    "trail_seal_rewritten": _refuse("this seal was changed after it was written", _LOOK),
    "trail_seal_ids": _refuse("the list of rows in this seal was changed after it was written", _LOOK),
    "trail_seal_root": _refuse("this seal does not fit its rows", _LOOK),
    "trail_stamp_alone": _refuse("this seal is gone; its time stamp shows that it was made", _LOOK),
    "trail_stamp_differs": _refuse(
        "the time stamp of this seal belongs to another seal, or to an authority other than the one in the certificate",
        "see whether TIMESTAMP_CERTIFICATE is the right one; if so, " + _LOOK,
    ),
    "trail_rolled_back": _refuse(
        "this seal was made, and is gone: an older database has been put back, or the seals' end was cut off",
        _COMPARE,
    ),
    "trail_rewritten": _refuse("this seal was made with another hash: the history was written anew", _COMPARE),
    "trail_wrong_key": _refuse(
        "not one of {count} rows fits the key", "the database's own key was replaced: restore the table installation"
    ),
    "trail_trigger_missing": _refuse("the trigger {name} is missing", _GUARD),
    "trail_trigger_disabled": _refuse("the trigger {name} is switched off", _GUARD),
    "trail_trigger_different": _refuse("the trigger {name} does something else", _GUARD),
    "trail_answer_gone": _refuse("this answer is in the trail, but is gone", _LOOK),
    "trail_answer_differs": _refuse("this answer differs from the one in the trail: {names}", _LOOK),
    "trail_answer_untold": _refuse("this answer has no row in the trail", _LOOK),
    "trail_answer_carried": _refuse("this answer was copied from answer {names}, which has another value", _LOOK),
    "trail_window_gone": _refuse("this window is in the trail, but is gone", _LOOK),
    "trail_window_differs": _refuse("this window differs from the one in the trail: {names}", _LOOK),
    "trail_window_untold": _refuse("this window has no row in the trail", _LOOK),
    "trail_participant_gone": _refuse("this participant is in the trail, but is gone", _LOOK),
    "trail_participant_differs": _refuse("this participant differs from the one in the trail: {names}", _LOOK),
    "trail_participant_torn": _refuse(
        "a row of the trail holds an old value of this participant that no other row has set: {names}", _LOOK
    ),
    "trail_study_differs": _refuse("how this study stands differs from the trail: {names}", _LOOK),
    "trail_participant_untold": _refuse("this participant has no enrolment in the trail", _LOOK),
}

_TASKS: Mapping[str, Entry] = {
    "decision_missing": _refuse(
        "is missing", "say in a few words what was decided or done", "Say in a few words what was decided or done."
    ),
    "reason_missing": _refuse("is missing", "say in a few words why", "Say in a few words why."),
    "reason_too_long": _refuse(
        "is longer than {most} characters", "say it shorter", "Too long: at most {most} characters."
    ),
    "query_words_missing": _refuse("is missing", "write it in a few words", "Write it in a few words."),
    "query_open_already": _refuse(
        "a query about this is open",
        "wait for its answer, or close it first",
        "A query about this is open: wait for its answer, or close it first.",
    ),
    "query_not_open": _refuse("this query is not open any more", "nothing is to be done"),
    "source_missing": _refuse("is not chosen", _ONE_OF),
    "done_already": _refuse("this was done already, on {at}", "nothing is to be done"),
    "not_in_inbox": _refuse("no such message is in the inbox", "`pro-service inbox list --all` lists all"),
    "has_left_already": _refuse("{code} has left the study", "nothing is asked of this participant any more"),
    "procedure_ahead": _refuse(
        "{day} is still to come (today at the site: {today})",
        "confirm once the procedure has taken place; name the day if it moved",
    ),
    "end_ahead": _refuse(
        "{given} is still to come at the site", "write when the procedure ended, or leave it empty for now"
    ),
    "confirmed_with_answers": _refuse(
        "{code} was confirmed for {confirmed} and has answers ({windows})",
        "see first what becomes of them: pro-service participant reschedule {code} --procedure-date {day} --reason … "
        "--dry-run",
        "change the procedure date on the participant's page: it shows first what becomes of them",
    ),
    "reach_no_texts": _refuse(
        "no message may go to this participant",
        "see `pro-service participant show`; telephone instead",
        "telephone instead",
    ),
    "reach_closed": _refuse("the study is closed", "there is nothing to try: nobody is asked any more"),
    "reach_not_confirmed": _refuse(
        "no message leaves before an investigator has confirmed this version of the study",
        "confirm it first: pro-service study confirm",
        "an investigator confirms it on the page Study",
    ),
    "reach_waiting": _refuse(
        "a test is waiting already",
        "say --confirmed or --failed, or wait until its time is over",
        "say what came of it, or wait until its time is over",
    ),
    "reach_minutes": _refuse("that time cannot be waited for", "give 5 to 1440 minutes"),
    "reach_no_template": _refuse(
        "the participant's version of the study has no text for it",
        "load the study again",
        "tell the person who set up the study",
    ),
    "reach_no_test": _refuse("there is no test yet", "begin one: without --confirmed and --failed", "begin one"),
    "reach_decided": _refuse("that was decided already", "`--state` shows how", "nothing is to be done"),
    "reach_needs_reason": _refuse(
        "there is no reason", "say with --reason why it does not work", "say why it does not work"
    ),
}

# Beside a field a page says only what to do: it is a whole sentence here, and in what follows.
_ENTRY: Mapping[str, Entry] = {
    "window_not_open": _refuse(
        "this window has not opened yet",
        "wait until it opens",
        "This window has not opened yet; nothing can be entered.",
    ),
    "nothing_entered": _refuse("nothing is filled in", "give at least one answer", "Nothing is filled in yet."),
    "answer_no_number": _refuse("is not a whole number", "write a whole number", "Write a whole number."),
    "answer_out_of_range": _refuse(
        "is not on the scale", "write a number from {least} to {most}", "Write a number from {least} to {most}."
    ),
    "answer_and_declined": _refuse(
        "a number, and the wish not to answer",
        "give one of the two",
        "Only one of the three: a number, “does not want to answer”, or taking the saved answer away.",
    ),
    "answer_not_saved": _refuse(
        "no answer is saved there that could be taken away",
        "look at the windows and items on the participant's page",
        "No answer is saved here that could be taken away.",
    ),
    "entry_reason_missing": _refuse(
        "is missing",
        "say in a few words why",
        "A reason is needed: something is saved here already, or the window has closed.",
    ),
    "whose_text": _refuse(
        "nobody has said whose message it is", "name a participant", "Choose first whose message it is."
    ),
    "score_window": _refuse(
        "was not open when the message came",
        "choose another window",
        "Choose one of the windows that were open when the message came.",
    ),
    "score_item": _refuse(
        "is no question that may still change",
        "choose another one",
        "Choose a question of that window whose answer may still change.",
    ),
    "score_out_of_range": _refuse(
        "is not on the scale", "write a number of that scale", "The number is not on that question's scale."
    ),
    "score_unchanged": _refuse(
        "is the answer there is", "nothing is to be done", "This answer is saved already; nothing would change."
    ),
    "score_reason_missing": _refuse(
        "is missing", "say how you know the number", "Say how you know the number: it is saved with the answer."
    ),
    "template_not_sendable": _refuse(
        "cannot be sent now",
        "choose another text",
        "This message cannot be sent now. Choose another one, or make it a call.",
    ),
}

_ACCOUNTS: Mapping[str, Entry] = {
    "account_email_unfit": _refuse(
        "is not an e-mail address", "write it as name@example.org", "Write an e-mail address, as name@example.org."
    ),
    "nobodys_address": _refuse("is nobody's address", "pro-service user list shows them", "Nobody has this address."),
    "password_short": _refuse(
        "is shorter than {least} characters",
        "choose a sentence only you would think of",
        "Too short: {least} characters or more, best a sentence.",
    ),
    "password_long": _refuse(
        "is longer than {most} characters", "choose a shorter one", "Too long: at most {most} characters."
    ),
    "password_guessed": _refuse(
        "is easily guessed: little more than common words, rows of keys or numbers, years, or the e-mail address",
        "choose a sentence only you would think of",
        "This is easily guessed: little more than common words, rows of keys or numbers, years, or your address. "
        "Choose a sentence only you would think of.",
    ),
    "not_your_password": _refuse(
        "is not your password", "type the password you signed in with", "This is not your password."
    ),
    "passwords_differ": _refuse("differs from the password", "type the same once more", "The two do not match."),
    "role_unknown": _refuse("is not a role", _ONE_OF, "Choose a role."),
    "study_not_named": _refuse("is not named, and there is not exactly one", _ONE_OF, "Choose a study."),
    "no_such_study": _refuse("is not a study", _ONE_OF, "Choose a study."),
    "site_of_role_unknown": _refuse(
        "is not a site of this study", _ONE_OF, "Choose a site of this study, or every site."
    ),
    "has_an_account": _refuse(
        "has an account already",
        "give it a role instead",
        "There is an account with this address already: give it a role instead.",
    ),
    "no_mail": _refuse(
        "cannot be mailed",
        "set SMTP_HOST and MAIL_FROM, or hand the link over yourself",
        "No mail can be sent: SMTP_HOST and MAIL_FROM are not set. Use the command line.",
    ),
    "own_account": _refuse(
        "is your own account",
        "ask another administrator",
        "This cannot be done to your own account: ask another administrator.",
    ),
    "own_roles": _refuse(
        "is your own account",
        "another investigator decides about your roles",
        "Another investigator decides about your roles.",
    ),
    "account_disabled": _refuse("is disabled", "enable it first", "This account is disabled: enable it first."),
    "last_administrator": _refuse(
        "is the last administrator",
        "name another administrator first",
        "Somebody must remain administrator: name another one first.",
    ),
    "nobody_to_approve": _refuse(
        "is every study, and nobody is an investigator of every study who could approve it",
        "give the role study by study",
        "Nobody is an investigator of every study, who could approve this: give the role study by study.",
    ),
    "not_back_in_time": _refuse(
        "is no day within the next 120 days",
        "write the first day you are back",
        "Choose a day from tomorrow on, at most 120 days away.",
    ),
    "own_number_empty": _refuse("is empty", "give a mobile number", "Give your mobile number."),
    "own_number_unfit": _refuse(
        "is no telephone number",
        _WRITE_PHONE,
        "This is no telephone number that exists: check its digits, and write it as +90 532 123 45 67.",
    ),
    "takes_no_texts": _refuse(
        "takes no texts from here", "give a mobile number", "No texts can be sent to this number: give a mobile number."
    ),
    "not_agreed": _refuse(
        "is not agreed to",
        "tick it, or leave no number",
        "Tick this if you want the texts; without it no number is saved.",
    ),
    "hour_unreadable": _refuse(
        "is not a time of day", "write hours and minutes, e.g. 14:30", "Write hours and minutes, as 14:30."
    ),
    "hours_need_both": _refuse(
        "needs both ends", "fill both in, or neither", "Fill in both times, or leave both empty."
    ),
    "hours_empty": _refuse(
        "is when it begins", "leave both empty for any hour", "Both times are the same: leave both empty for any hour."
    ),
    "no_participant_here": _refuse(
        "is no participant you may see", "check the code", "There is no such participant here."
    ),
    "day_unreadable": _refuse("is not a day", "write year-month-day, e.g. 2026-03-09", "Write a day, as 2026-03-09."),
    "ends_before_begin": _refuse("ends before it begins", "write a later day", "The last day is before the first."),
}

_DATA_KEY = "write id:base64 of 32 bytes, newest first, comma-separated; .env.example says how to make one"

_LOOK_AT_CLOCK = "look at it; if it is right, say so: `pro-service clock accept --reason …`"
_TELL = (
    "Everything else is as it was. Tell those who run the service: the right key, or a backup, brings it back. "
    "A telephone number can also be entered again."
)

_SERVICE: Mapping[str, Entry] = {
    "no_env_file": _refuse("there is no such file", "name an existing file"),
    "not_writable": _refuse("this file cannot be written", "name a file in a folder that is there and yours"),
    "secret_unreadable": _refuse("the file cannot be read", "name a readable file that holds the secret alone"),
    "address_missing": _refuse("is missing", "set it to the address of this service, e.g. https://pro.example.org"),
    "no_address": _refuse("is not an http or https address", "write it as https://host, without ? or #"),
    "address_with_login": _refuse(
        "holds a user name or a password", "write the address without what stands before the @; secrets have settings"
    ),
    "address_in_clear": _refuse(
        "is http and leads off this machine: credentials, numbers and texts would travel in the clear",
        "use its https address; http is for 127.0.0.1 alone",
    ),
    "no_host": _refuse(
        "is not the name of a host",
        "write the host alone, e.g. mail.example.org; port and login have settings of their own",
    ),
    "no_port": _refuse("is not a port", "write a whole number from 1 to 65535"),
    "certificate_missing": _refuse(
        "is missing, and {needed} is set",
        "name a file with the certificate (PEM) that the time-stamping authority publishes; without it no time stamp "
        "can be checked",
    ),
    "certificate_unreadable": _refuse("is not a file with a certificate", "give a readable file in PEM format"),
    "lease_too_short": _refuse(
        "ends before a call to the provider can",
        "a call may take {seconds} seconds: write more than that, or shorter timeouts for the providers",
    ),
    "setting_needed": _refuse("is missing, and {given} is set", "set both, or leave both out"),
    "no_header": _refuse(
        "is neither a sender name of 3 to 11 letters and digits nor a number",
        "write it as the provider has registered it",
    ),
    "no_reply_number": _refuse(
        "is not a number that texts can be sent to",
        "write digits alone, e.g. 08501234567, or a short code such as 4609",
    ),
    "no_whatsapp_number": _refuse(
        "is not a number in international form", "write it with + and the country's code, without `whatsapp:`"
    ),
    "keyword_missing": _refuse(
        "is missing, and VERIMOR_REPLY_TO is a short code that others share",
        "write the word with which texts to it must begin to reach you",
    ),
    "secret_unfit": _refuse(
        "is shorter than {least} characters, or has others than letters, digits, - and _",
        "make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    ),
    "no_network": _refuse(
        "holds something that is neither an address nor a network",
        "write them with commas between, e.g. 203.0.113.7, 198.51.100.0/24",
    ),
    "setting_no_number": _refuse(
        "is not a number of {least} or more", "write a number of {least} or more, or leave it out"
    ),
    "setting_no_count": _refuse(
        "is not a whole number of {least} or more", "write a whole number of {least} or more, or leave it out"
    ),
    "setting_out_of_range": _refuse(
        "is not a whole number from {least} to {most}", "write a whole number from {least} to {most}, or leave it out"
    ),
    "setting_no_role": _refuse("names something that is no role", "write all, none, or some of {known}"),
    "setting_no_level": _refuse("is not a level", _ONE_OF),
    "no_database_address": _refuse("is neither SQLite nor PostgreSQL", "write sqlite:///path or postgresql://…"),
    "secret_key_short": _refuse(
        "is missing or shorter than {least} characters",
        "make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    ),
    "no_data_key": _refuse("holds something that is no key", _DATA_KEY),
    "data_keys_missing": _refuse("is missing", _DATA_KEY),
    "data_key_twice": _refuse("names one key twice", "give every key an id of its own"),
    "data_key_missing": _refuse("DATA_KEYS has no key {key}", "add it after the newest one", _TELL),
    "data_key_wrong": _refuse(
        "the key {key} in DATA_KEYS does not fit what was encrypted with it, or that is damaged",
        "give the one it was made with, or put the record back from a backup",
        _TELL,
    ),
    "data_key_needed": _refuse(
        "DATA_KEYS has no key {key}, and {count} wrapped keys need it",
        "put it back after the newest one; it may go once `pro-service keys rotate` has finished and `doctor` says so",
        _TELL,
    ),
    "data_key_outdated": _refuse(
        "a program that was running {seconds} seconds ago still wraps with the key {key}",
        "give every program the new DATA_KEYS and start it again, then wait two minutes",
    ),
    "value_unreadable": _refuse(
        "{column} of record {row} cannot be decrypted: it is damaged, or was made with another key",
        "put back the key it was made with, or the record from a backup; a telephone number can also be entered again",
        _TELL,
    ),
    "no_keys_yet": _refuse("this database has no keys yet", "run `pro-service db upgrade`"),
    "schema_behind": _refuse(
        "the database is at revision {revision}, this release needs {wanted}", "run `pro-service db upgrade`"
    ),
    "schema_newer": _refuse(
        "the database is at revision {revision}, which is newer than this release: it knows revisions up to {known}",
        "install the release that upgraded it, or a later one",
    ),
    "upgrade_no_room": _refuse(
        "the upgrade may need {needed} MB on the disk of the database, and {free} MB are free",
        "free some space there; nothing was begun",
    ),
    "database_encoding": _refuse(
        "the database has the encoding {encoding}, which cannot hold every letter",
        "make it anew in UTF8: CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0",
    ),
    "connections_shared": _refuse(
        "the database is reached through a pooler that gives its connections to others between two transactions",
        "for this command, let DATABASE_URL name the server itself instead of pgbouncer",
    ),
    "role_may_not_create": _refuse(
        "this role may not create tables in the database", "connect as the role that owns the database"
    ),
    "role_owns_not": _refuse(
        "this role does not own every table of the database, so it could not finish the upgrade",
        "connect as the role that owns the tables; then see `pro-service db grants`",
    ),
    "role_may_not_read": _refuse(
        "this role may not read every table of the database",
        "connect as the role that owns the tables, or give the service's role what `pro-service db grants` prints",
    ),
    "nothing_to_back_up": _refuse("there is no database to back up", "check DATABASE_URL"),
    "backup_folder_taken": _refuse("this folder holds something already", "name a new folder, or an empty one"),
    "backup_not_writable": _refuse(
        "nothing can be written in this folder",
        "name a folder on a disk that can be written, whose owner is this user; under systemd the unit must allow it",
    ),
    "backup_disk_full": _refuse(
        "the disk is full; what was half written is gone again",
        "free some space there, or name a folder on another disk",
    ),
    "no_room": _refuse(
        "this may need {needed} MB on the disk, and {free} MB are free",
        "free some space there, or name a folder on another disk; nothing was begun",
    ),
    "keep_without_folder": _refuse(
        "only the backups in BACKUP_DIR are removed", "leave DIR out, or remove older backups yourself"
    ),
    "no_backup": _refuse(
        "this folder holds no whole backup", "name a folder that `pro-service backup` has made; it has a manifest.json"
    ),
    "backup_damaged": _refuse(
        "is missing, or not as it was when the backup was made", "copy the backup once more, or take another one"
    ),
    "backup_of_other_engine": _refuse(
        "this backup is one of {engine}",
        "restore it into a database of that kind; `pro-service db copy` moves it to the other kind afterwards",
    ),
    "backup_newer": _refuse(
        "the backup is at revision {revision}, made by release {product}; this release knows revisions up to {known}",
        "install that release, or a later one",
    ),
    "backup_key_missing": _refuse(
        "the backup needs keys that are not there: {keys}",
        "put them after the newest one; they were in use when the backup was made",
    ),
    "target_not_empty": _refuse(
        "there is a database already, or something else", "name an empty place: nothing is ever overwritten"
    ),
    "target_in_use": _refuse(
        "another restore or copy into this database is at work", "wait for it, or name another empty database"
    ),
    "database_unfinished": _refuse(
        "a restore or copy into this database was not finished, or is at work",
        "give the same command again: it begins anew; nothing else opens this database before",
    ),
    "server_older": _refuse(
        "the server is PostgreSQL {server}, and the backup is from {version}",
        "restore it on that version, or a newer one",
    ),
    "tool_missing": _refuse(
        "there is no {tool} on this machine",
        "install PostgreSQL's client programs, of the server's version; PG_BIN names their folder",
    ),
    "tool_of_other_version": _refuse(
        "{tool} is of version {version}; the version that is needed is {needed}",
        "install PostgreSQL's client programs of that version; PG_BIN names their folder",
    ),
    "tool_failed": _refuse(
        "{tool} ended with status {status}; nothing half-done was kept",
        "what it says may hold data, and is not shown: look into the log of PostgreSQL",
    ),
    "copy_differs": _refuse(
        "what came over is not what was there, in these tables: {tables}; the copy was taken back",
        "stop every program that changes the database, and copy it again",
    ),
    "not_a_new_database": _refuse("only a new database can become a test database", "name another DATABASE_URL"),
    "clock_set_in_use": _refuse(
        "PRO_SERVICE_NOW is set, and this database was not made with `db upgrade --test`", "unset it"
    ),
    "real_beside_simulated": _refuse(
        "would reach people, while {given} sends texts to simulated telephones",
        "unset it while you try the service out; for a real study unset {given} instead",
    ),
    "telephones_were_simulated": _refuse(
        "texts of this database went to simulated telephones; these settings would send to people",
        "begin the real study in a new database: name another DATABASE_URL",
    ),
    "telephones_were_real": _refuse(
        "texts of this database went to people; {given} would send them to simulated telephones",
        "unset {given}, or try the service out in another database",
    ),
    "nothing_to_simulate": _refuse(
        "is not set, so texts go to people and not to these telephones",
        "write its address, http://127.0.0.1:8026, into settings without the real account",
    ),
    "clock_unreadable": _refuse(
        "PRO_SERVICE_NOW is neither an instant nor a file with one", "write it as 2026-03-09T10:00:00+03:00"
    ),
    "clock_disputed": _refuse(
        "the clock is not believed: another machine's says otherwise", "set this machine's clock"
    ),
    "clock_ahead": _refuse(
        "the clock is not believed: it is more than 14 days ahead of when the service was last alive", _LOOK_AT_CLOCK
    ),
    "clock_behind": _refuse(
        "the clock is not believed: it is more than 14 days behind when the service was last alive", _LOOK_AT_CLOCK
    ),
    "database_full": _refuse(
        "the database cannot be written: the disk is full",
        "free some space on the disk of the database; nothing else is needed, what waits goes on then",
    ),
    "database_disk": _refuse(
        "the database cannot be written: its disk is full, or reports a fault",
        "look at free space and quotas first, then at the system's log about that disk",
    ),
    "database_locked": _refuse(
        "the database is locked by another program",
        "find what holds it: a backup, a shell, another process of this service that stands still",
    ),
    "database_read_only": _refuse(
        "the database can only be read",
        "it lies on a read-only disk, its file is not this user's to write, or it is a standby: check where it points",
    ),
    "database_not_opened": _refuse(
        "the file of the database cannot be opened",
        "check that its folder is there, belongs to this user and lies on no read-only disk",
    ),
    "database_forbidden": _refuse(
        "this user may not write to the database", "check who owns its file and folder, or the rights of its role"
    ),
    "database_unreachable": _refuse(
        "the database cannot be reached", "check DATABASE_URL, and that the server or folder is there"
    ),
    "unexpected": _refuse("an unexpected fault ({kind}); nothing half-done was kept", "see the log"),
}

_EXPORTS: Mapping[str, Entry] = {
    "format_unknown": _refuse("this is not a format of the data set", _ONE_OF),
    "format_needs_extra": _refuse(
        "this format needs packages that are not installed: {missing}",
        "install them where the service runs: pip install -r deploy/requirements-formats.txt",
        "Ask those who run the service to install its extra “{extra}”, or choose another format.",
    ),
    "text_too_long": _refuse(
        "a text here has a length of {size}, and {format} holds at most {most}",
        "leave this format out; CSV holds every text",
    ),
    "too_many_rows_for_excel": _refuse(
        "the table has {rows} rows, and a sheet of Excel holds at most {most} and its head",
        "take CSV or another format, or the data of one site",
    ),
    "export_future": _refuse(
        "{given} is in the future",
        "name an instant that has passed, or leave it out",
        "Choose a moment that has passed.",
    ),
    "export_before_study": _refuse(
        "no version of this study had been loaded at that instant", "name a later one", "Choose a later moment."
    ),
    "export_not_empty": _refuse(
        "there is something in this folder, or a file of that name", "name a new folder, or one that is empty"
    ),
    "export_not_written": _refuse(
        "the files cannot be written: the disk is full, or does not let it",
        "make room, or name a folder that is yours",
        "Ask those who run the service to make room for temporary files.",
    ),
    "export_no_folder": _refuse("the folder it would be in is not there", "make it first, or name another"),
    "not_an_instant": _refuse(
        "{given} is not an instant", "write it with the time zone, e.g. 2026-06-30T23:59:59Z or 2026-07-01T02:59+03:00"
    ),
}

_WRITTEN_AGAIN = "export the data set again, and keep it as it was written"
_DATA_SET: Mapping[str, Entry] = {
    "set_no_manifest": _refuse(
        "this is no data set: it has no manifest.json that can be read",
        "give the folder or the ZIP file that pro-service export has written",
    ),
    "set_manifest_unreadable": _refuse("manifest.json lists no files", _WRITTEN_AGAIN),
    "set_no_zip": _refuse(
        "the file is no ZIP file, or is damaged", "give the folder or the ZIP file that pro-service export has written"
    ),
    "set_zip_names": _refuse(
        "a file in the ZIP file has a name that leads out of its folder", "do not unpack it; ask where it came from"
    ),
    "set_zip_bomb": _refuse(
        "the ZIP file holds more than {times} times its size", "do not unpack it; ask where it came from"
    ),
    "set_zip_foreign": _refuse(
        "the ZIP file holds a link, an encrypted file, one file twice, or one that is packed in another way than by "
        "pro-service export",
        "unpack it, and check the folder",
    ),
    "set_too_many_files": _refuse(
        "there are more than {most} files in it", "give the folder or the ZIP file that pro-service export has written"
    ),
    "set_manifest_entry": _refuse(
        "an entry has no path, number of rows or SHA-256, or a path is there twice", _WRITTEN_AGAIN
    ),
    "set_no_file": _refuse("it is a link or no plain file", "put the file itself in its place"),
    "set_file_missing": _refuse("manifest.json lists it, and it is missing", _WRITTEN_AGAIN),
    "set_file_unlisted": _refuse("manifest.json does not list it", "move it out of the data set"),
    "set_file_name": _refuse("manifest.json lists a name that no file of a data set has", _WRITTEN_AGAIN),
    "set_hash": _refuse("it is not the file of which manifest.json holds the SHA-256", _WRITTEN_AGAIN),
    "set_rows": _refuse("it has {rows} rows, in manifest.json {listed}", _WRITTEN_AGAIN),
    "set_unreadable": _refuse("it cannot be read from here on", _WRITTEN_AGAIN),
    "set_line_ends": _refuse(
        "its lines do not end in LF alone, or it begins with a byte order mark where the set has none, or without one "
        "in a set for Excel",
        "a spreadsheet or a transfer has changed it; export the data set again, and work on a copy",
    ),
    "set_codebook_missing": _refuse("the codebook is missing, so no cell can be checked", _WRITTEN_AGAIN),
    "set_codebook_row": _refuse("the row describes no column, and no code of the one above", _WRITTEN_AGAIN),
    "set_datapackage": _refuse("it cannot be read, so the order of rows cannot be checked", _WRITTEN_AGAIN),
    "set_described_missing": _refuse("the codebook describes it, and manifest.json does not list it", _WRITTEN_AGAIN),
    "set_undescribed": _refuse("the codebook does not describe it", _WRITTEN_AGAIN),
    "set_no_key": _refuse("datapackage.json does not say which columns name a row", _WRITTEN_AGAIN),
    "set_column_name": _refuse(
        "the name of the column is there twice, or not legal in all programs: small letters, digits and _, "
        "at most 26 in all",
        "export the data set again",
    ),
    "set_header": _refuse("its columns are not those of the codebook", _WRITTEN_AGAIN),
    "set_width": _refuse("the row has {cells} cells, the table {columns} columns", _WRITTEN_AGAIN),
    "set_cell_empty": _refuse("the cell is empty, and must not be", _WRITTEN_AGAIN),
    "set_cell_kind": _refuse("the cell holds no value of the type {kind}", _WRITTEN_AGAIN),
    "set_code_unknown": _refuse("the codebook does not know the code", _WRITTEN_AGAIN),
    "set_below": _refuse("the value is below {minimum}", _WRITTEN_AGAIN),
    "set_above": _refuse("the value is above {maximum}", _WRITTEN_AGAIN),
    "set_key_twice": _refuse("a row with this key is there twice", _WRITTEN_AGAIN),
    "set_order": _refuse("the row stands below one that comes after it", _WRITTEN_AGAIN),
}

SUBJECTS: Mapping[str, Mapping[str, Entry]] = {
    "Files of participants": _FILES,
    "REDCap exports and their column mapping": _REDCAP,
    "Cells of a row, and fields that are read as cells": _CELLS,
    "Telephone numbers": _PHONES,
    "What a provider carries to a country": _ROUTES,
    "Rows against what is there already": _ENROLMENT,
    "Printed cards": _CARDS,
    "Changes about a participant": _CHANGES,
    "TOML files": _TOML,
    "The protocol of a study": _STUDY,
    "Texts and sites of a study": _TEXTS,
    "Studies that are loaded": _STUDIES,
    "The audit trail": _TRAIL,
    "Tasks, tests and the inbox": _TASKS,
    "Answers that staff enter": _ENTRY,
    "Accounts": _ACCOUNTS,
    "Data sets": _EXPORTS,
    "The check of a data set": _DATA_SET,
    "The service and its settings": _SERVICE,
}
"""The catalogue by subject; a code is in one of them."""

CATALOGUE: Mapping[str, Entry] = {code: entry for entries in SUBJECTS.values() for code, entry in entries.items()}
