"""The word for every code on the coordinators' pages: states, levels, reasons, outcomes, actions."""

from collections.abc import Mapping
from functools import lru_cache

from pro_service.web.account import words as account_words
from pro_service.web.dashboard import change_words, inbox_words
from pro_service.web.i18n import gettext as _


@lru_cache(maxsize=8)
def vocabulary(_language: str) -> Mapping[str, Mapping[str, str]]:
    """Return all words, looked up once a language."""
    return {
        "status": _statuses(),
        "shape": _statuses() | {"at_risk": _("At risk"), "not_applicable": _("Not applicable")},
        "short": _short(),
        "participant": _participant(),
        "page": _pages(),
        "flag": _flags(),
        "level": _levels(),
        "reason": _reasons() | inbox_words.reasons(),
        "outcome": _outcomes() | {"new_number": _("Another number"), "decided": _("Decided")},
        "effect": _effects(),
        "missing": _missing(),
        "kind": _kinds() | inbox_words.kinds(),
        "state": _states(),
        "source": _sources(),
        "action": _actions() | account_words.actions() | change_words.actions() | inbox_words.actions(),
        "role": account_words.roles(),
        "why": _why(),
        "wish": _wishes(),
        "time": _time(),
        **change_words.words(),
        **_figures(),
        **_story(),
    }


def _statuses() -> dict[str, str]:
    return {
        "upcoming": _("Upcoming"),
        "open": _("Open"),
        "partial": _("Partial"),
        "completed_in_window": _("Completed"),
        "completed_late": _("Completed late"),
        "declined": _("Declined"),
        "missed": _("Missed"),
        "missed_before_enrolment": _("Before enrolment"),
        "withdrawn": _("Withdrawn"),
        "died": _("Died"),
        "cancelled": _("Date changed"),
    }


def _short() -> dict[str, str]:
    return {
        "partial": _("partial"),
        "completed_in_window": _("done"),
        "completed_late": _("late"),
        "declined": _("declined"),
        "missed": _("missed"),
        "missed_before_enrolment": _("before"),
        "withdrawn": _("left"),
        "died": _("died"),
        "cancelled": _("moved"),
    }


def _pages() -> dict[str, str]:
    """Return what the pages and files are called that leave a row in the trail."""
    return {
        "participant": _("Participant"),
        "outcomes": _("Outcomes"),
        "paper": _("For the paper"),
        "inbox": _("Received message"),
        "audit": _("Audit trail"),
        "account": _("Own account, with the settings of mails"),
        "participants.csv": _("File of the participants"),
        "messages.csv": _("File of the messages"),
        "compliance.csv": _("File of compliance"),
        "outcomes.csv": _("File of the outcomes"),
        "revealed.csv": _("File of revealed treatments"),
    }


def _participant() -> dict[str, str]:
    return {
        "planned": _("Procedure not confirmed"),
        "active": _("Active"),
        "paused": _("Paused"),
        "opted_out": _("No messages wanted"),
        "withdrawn": _("Withdrawn"),
        "died": _("Died"),
        "finished": _("Finished"),
    }


def _flags() -> dict[str, str]:
    return {
        "planned": _("unconfirmed"),
        "paused": _("paused"),
        "opted_out": _("no messages"),
        "withdrawn": _("left"),
        "died": _("died"),
    }


def _levels() -> dict[str, str]:
    return {
        "E0": _("To clear up"),
        "E1": _("Call"),
        "E2": _("Urgent"),
        "E3": _("Missed: say why"),
        "E4": _("To decide"),
        "ES": _("Safety"),
    }


def _reasons() -> dict[str, str]:
    return {
        "unanswered": _("no answer to the messages"),
        "by_telephone": _("to be asked by telephone: no message went out"),
        "no_card": _("there was no card when it was time to ask"),
        "no_way_to_ask": _("no telephone number: nobody can ask"),
        "little_time_left": _("little time left"),
        "failed_calls": _("several calls without success"),
        "not_acknowledged": _("nobody has taken it up in time"),
        "missed": _("the window closed without an answer"),
        "no_channel": _("neither messages nor calls reach them any more"),
        "missed_in_a_row": _("windows missed in a row"),
        "confirm_procedure": _("did the procedure take place?"),
        "no_procedure_time": _("when did the procedure end? a visit counted from it has no window"),
        "safety_word": _("a word in a message that needs a person at once"),
        "score_threshold": _("an answer that asks for a clinical review"),
        "unreadable_reply": _("messages that could not be read"),
        "not_delivered": _("a message did not arrive"),
        "bad_number": _("the number does not take texts"),
        "bad_address": _("mails and messages do not arrive"),
        "opted_out_at_provider": _("stopped messages at the telephone company or on WhatsApp"),
        "stopped": _("wants no more messages: may we call?"),
        "wrong_number": _("not this person's number"),
        "asked_for_call": _("asks to be called"),
        "stop_word": _("a stop word inside a sentence: are messages still wanted?"),
        "proxy_answer": _("somebody else seems to answer"),
        "answer_after_leaving": _("an answer after leaving the study"),
        "unscheduled_answer": _("an answer when nothing was asked"),
        "number_after_completion": _("another number after the answer"),
        "shared_telephone": _("two participants share this telephone"),
        "uncertain_delivery": _("it is uncertain whether a message was sent"),
        "rules_fault": _("the service failed at this participant"),
        "address_in_text": _("a text for somebody with a card holds an internet address"),
    }


def _wishes() -> dict[str, str]:
    """Return what participants asked for, by the part of the day."""
    return {
        "any": _("asks to be called"),
        "morning": _("asks to be called in the morning"),
        "afternoon": _("asks to be called in the afternoon"),
        "evening": _("asks to be called in the evening"),
    }


def _outcomes() -> dict[str, str]:
    return _missing() | {
        "completed_now": _("Answered on the telephone"),
        "will_do_it": _("Will do it"),
        "call_back_at": _("Call back at"),
        "refused_this_time": _("Not this time"),
        "wants_no_messages": _("Wants no more messages"),
        "withdraws": _("Withdraws from the study"),
        "no_answer": _("No answer"),
        "busy": _("Busy or switched off"),
        "wrong_person": _("The number is somebody else's"),
        "not_in_service": _("Number not in service"),
        "moved": _("Has moved"),
        "hospitalised": _("In hospital"),
        "died": _("Has died"),
        "language_barrier": _("Language barrier"),
        "window_closed": _("The window closed"),
        "answered": _("Answered"),
        "answered_late": _("Answered late"),
        "done": _("Done"),
        "confirmed": _("Procedure confirmed"),
        "rescheduled": _("Date changed"),
        "cleared": _("It has cleared up"),
        "wrong_clock": _("Raised by a wrong clock"),
    }


def _effects() -> dict[str, str]:
    """Return what saving an outcome will do."""
    return {
        "will_do_it": _("The task stays until the answer is here."),
        "call_back_at": _("The task comes back at that time."),
        "refused_this_time": _("Recorded as declined; no more prompts for this window; the task ends."),
        "wants_no_messages": _("No more messages at all; calls are still allowed; the task stays."),
        "withdraws": _("Nothing is sent any more; all tasks end but those about safety. A note is needed."),
        "no_answer": _("Also when somebody else picks up. Counted; suggested again at another part of the day."),
        "busy": _("Counted; suggested again at another part of the day."),
        "wrong_person": _("No more messages to this number; a task asks for the right one; the call stays."),
        "not_in_service": _("No more messages to this number; the task stays."),
        "moved": _("Noted; the task stays."),
        "hospitalised": _("Noted; the task stays."),
        "died": _("Nothing is sent any more and all tasks end. A note is needed."),
        "language_barrier": _("Noted; the task stays."),
    }


def _missing() -> dict[str, str]:
    return {
        "not_asked": _("Not asked (our system)"),
        "not_delivered": _("Message not delivered"),
        "unreachable": _("Could not be reached"),
        "refused_this_visit": _("Refused this time"),
        "too_ill": _("Too ill"),
        "hospitalised": _("In hospital"),
        "withdrew": _("Withdrew"),
        "died": _("Died"),
        "language_or_ability": _("Language or ability"),
        "site_error": _("Our site's mistake"),
        "enrolled_after_window": _("Enrolled after the window"),
        "other": _("Other"),
    }


def _kinds() -> dict[str, str]:
    return {
        "invitation": _("Invitation"),
        "reminder-1": _("Reminder 1"),
        "reminder-2": _("Reminder 2"),
        "reminder-3": _("Reminder 3"),
        "question": _("Question"),
        "reask": _("Asked again"),
        "thanks": _("Thanks"),
        "ack": _("Acknowledgement"),
        "alert": _("Mail to staff"),
        "call": _("Call"),
    }


def _states() -> dict[str, str]:
    return {
        "ready": _("waiting"),
        "sending": _("being sent"),
        "accepted": _("accepted"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "undelivered": _("not delivered"),
        "failed": _("failed"),
        "refused": _("refused"),
        "uncertain": _("uncertain"),
        "expired": _("expired"),
        "cancelled": _("withdrawn"),
        "dead": _("given up"),
    }


def _sources() -> dict[str, str]:
    return {
        "sms": _("by text"),
        "web": _("on the web page"),
        "card": _("with the card"),
        "email": _("by the link in a mail"),
        "whatsapp": _("on WhatsApp"),
        "telephone": _("by telephone"),
        "clinic": _("in the clinic"),
        "import": _("imported"),
    }


def _actions() -> dict[str, str]:
    return {
        "enrol": _("Enrolled"),
        "confirm_procedure": _("Procedure confirmed"),
        "queue": _("Message queued"),
        "answer": _("Answer saved"),
        "escalate": _("Task made"),
        "resolve": _("Task ended"),
        "acknowledge": _("Task taken up"),
        "put_off": _("Task put off"),
        "hand_over": _("Task handed over"),
        "away": _("Away, or back"),
        "settle": _("Window counted"),
        "cancel": _("Message withdrawn"),
        "call": _("Call"),
        "explain": _("Reason given"),
        "opt_out": _("No more messages"),
        "opt_in": _("Messages again"),
        "hold_texts": _("Messages held"),
        "snooze": _("Asked for a later message"),
        "ask_for_call": _("Asked to be called"),
        "unreachable": _("Number not usable"),
        "withdraw": _("Withdrawn"),
        "ask_erasure": _("Erasure asked for"),
        "withdraw_erasure": _("Request for erasure withdrawn"),
        "approve_erasure": _("Erasure approved"),
        "refuse_erasure": _("Erasure refused"),
        "erase": _("Contact data and messages erased"),
        "died": _("Died"),
        "reinstate": _("Withdrawal or death undone"),
        "open_again": _("Task open again"),
        "view_answers": _("Saved answers viewed"),
        "view_contact": _("Number or address viewed"),
        "look": _("Page viewed"),
        "download": _("File downloaded"),
        "send": _("Message sent"),
        "receipt": _("Delivery report"),
        "reconcile": _("Uncertain message resolved"),
        "view_card": _("Card viewed"),
        "make_code": _("Card code made"),
        "replace_code": _("Card code replaced"),
        "enter_by_card": _("Form opened with the card"),
        "hand_card": _("Card handed over"),
        "unhand_card": _("Card not handed over after all"),
        "use_card": _("Card used for the first time"),
        "ask_query": _("Query asked"),
        "answer_query": _("Query answered"),
        "close_query": _("Query closed"),
    } | _actions_of_the_service()


def _actions_of_the_service() -> dict[str, str]:
    """Return what the service does when something was wrong, and what those who run it do."""
    return {
        "load_protocol": _("Study loaded"),
        "let_column_pass": _("Column let pass in exports"),
        "confirm_version": _("Version of the study confirmed"),
        "close_study": _("Study closed"),
        "lock_data": _("Data locked"),
        "unlock_data": _("Data unlocked"),
        "plan_erasure": _("Day set to erase contact data"),
        "export": _("Data set taken out"),
        "end": _("Window ended with the study"),
        "alarm": _("Alarm mailed"),
        "not_sent": _("Message not sent"),
        "void": _("Message ended unsent"),
        "adopt": _("Message recognised at the provider"),
        "stop": _("Sending stopped"),
        "quarantine": _("Messages held: it is unknown what was sent"),
        "release": _("Messages released: it is known what was sent"),
        "lift": _("Messages released by a person"),
        "rotate": _("Encrypted with a new key"),
        "clock_jump": _("The clock jumped"),
        "doubt": _("The clock may be wrong"),
        "believe": _("The clock is right again"),
        "accept": _("The clock was confirmed by a person"),
        "undo": _("Undone what a wrong clock did"),
        "reopen": _("Window open again (wrong clock)"),
        "retract": _("Task withdrawn (wrong clock)"),
        "redate": _("Task dated again (wrong clock)"),
        "unresolve": _("Task open again (wrong clock)"),
    }


def _why() -> dict[str, str]:
    return {
        "anchor": _("Counted from"),
        "rule": _("Rule"),
        "target": _("Target"),
        "clamped_from": _("Day that the month does not have"),
        "first_day": _("First day"),
        "last_day": _("Last day"),
        "opens": _("Opens"),
        "closes": _("Closes"),
        "late_until": _("Late answers until"),
        "zone": _("Time zone"),
    }


def _time() -> dict[str, str]:
    return {
        "min left": _("{n} min left"),
        "min ago": _("{n} min ago"),
        "min": _("{n} min"),
        "h left": _("{n} h left"),
        "h ago": _("{n} h ago"),
        "h": _("{n} h"),
        "d left": _("{n} d left"),
        "d ago": _("{n} d ago"),
        "d": _("{n} d"),
        "late": _("late +{n} d"),
        "closes": _("{state}: closes {when}"),
        "opens": _("{state}: opens {when}"),
    }


def _story() -> dict[str, dict[str, str]]:
    """Return the words of a participant's story and of derived outcomes."""
    return {
        "chip": {
            "messages": _("Messages"),
            "answers": _("Answers"),
            "calls": _("Calls and tasks"),
            "changes": _("Changes"),
        },
        "query": {
            "open": _("waits for the site"),
            "answered": _("answered, to be closed"),
            "closed": _("closed"),
        },
        "no_value": {
            "baseline_zero": _("baseline of 0: no percentage can be calculated"),
            "baseline_missing": _("no baseline"),
            "followup_missing": _("no answer in this window"),
        },
    }


def _figures() -> dict[str, dict[str, str]]:
    """Return the words of the pages of figures: channels, fates and routes of texts, classes of time, rules."""
    return {
        "channel": {
            "sms-reply": _("Text, answered by text"),
            "sms-link": _("Text with a link"),
            "sms-card": _("Text, answered with the card"),
            "email-link": _("Mail with a link"),
            "whatsapp": _("WhatsApp, answered there"),
            "calls": _("Telephone only"),
        },
        "way": _ways(),
        "standing": _standings(),
        "failure": _failures(),
        "tone": {
            "completed_in_window": _("Completed"),
            "completed_late": _("Completed late"),
            "partial": _("Partial"),
            "declined": _("Declined"),
            "missed": _("Missed"),
            "not_applicable": _("Left during the window"),
            "answered": _("Answered"),
            "delivered": _("Delivered"),
            "sent": _("Sent"),
            "failed": _("Failed"),
            "rest": _("Not sent"),
        },
        "took": _took(),
        "event": {
            "queued": _("Queued"),
            "attempt": _("Handed to the provider"),
            "accepted": _("Accepted by the provider"),
            "receipt": _("The provider reports"),
            "missed": _("The provider was asked and did not know it"),
            "ended": _("Ended"),
        },
        "carried": _carried(),
        **_of_the_study(),
    }


def _ways() -> dict[str, str]:
    """Return how a participant is asked now."""
    return {
        "sms-reply": _("asked by text, answers by text"),
        "sms-link": _("asked by text, answers by link"),
        "sms-card": _("asked by text, answers with the card"),
        "email-link": _("asked by mail, answers by link"),
        "whatsapp": _("asked on WhatsApp, answers there"),
        "no-card": _("there is no card yet: people call"),
        "calls": _("asked by telephone only"),
        "no-texts": _("wants no messages: people call"),
        "bad-number": _("messages do not arrive: people call"),
        "no-number": _("no telephone number: nobody can ask"),
        "left": _("not asked any more"),
    }


def _standings() -> dict[str, str]:
    """Return what is said of one channel of a ladder."""
    return {
        "asks": _("asks now"),
        "no-card": _("its turn, but there is no card yet: people call"),
        "next": _("asks if the one before it fails"),
        "no-consent": _("skipped: no consent"),
        "no-address": _("skipped: no number or address"),
        "failed": _("does not reach them since"),
        "stopped": _("stopped: wants no messages, or has left"),
    }


def _of_the_study() -> dict[str, dict[str, str]]:
    """Return what the page of the study calls its rules."""
    return {
        "role": {
            "coordinator": _("coordinator"),
            "assessor": _("assessor"),
            "investigator": _("investigator"),
            "data-manager": _("data manager"),
            "monitor": _("monitor"),
            "statistician": _("statistician"),
            "administrator": _("administrator"),
        },
        "trigger": {
            "E0": _("a message cannot arrive, the number is wrong, or there is no way to reach the participant"),
            "E1": _("the time to call has come and there is no answer, or there is no card when a text is due"),
            "E2": _("the call is still open shortly before the close, or several calls were without success"),
            "E3": _("the window closed without an answer"),
            "E4": _("windows missed in a row"),
            "ES": _("a word or a value that asks for a clinician"),
        },
        "mode": {"message": _("asked by message or call"), "clinic": _("entered in the clinic")},
        "tongue": {"tr": _("Turkish"), "en": _("English")},
    }


def _carried() -> dict[str, str]:
    """Return what a provider reports of a text that is no state of ours."""
    return {
        "scheduled": _("planned by the provider"),
        "queued": _("queued by the provider"),
        "sending": _("being sent by the provider"),
        "canceled": _("withdrawn at the provider"),
        "read": _("read"),
    }


def _took() -> dict[str, str]:
    """Return classes of time to answer."""
    return {
        "0": _("up to 15 min"),
        "1": _("up to 1 h"),
        "2": _("up to 4 h"),
        "3": _("up to 12 h"),
        "4": _("up to 24 h"),
        "5": _("up to 48 h"),
        "6": _("longer"),
    }


def _failures() -> dict[str, str]:
    """Return why a message did not arrive, by what our records or the provider's code say."""
    return {
        "30003": _("telephone off or unreachable"),
        "30004": _("blocked by the telephone company"),
        "30005": _("number unknown or not in service"),
        "30006": _("landline, or a network that takes no texts"),
        "30007": _("filtered as unwanted"),
        "30008": _("unknown reason at the telephone company"),
        "21211": _("not a valid number"),
        "21610": _("stopped messages at the telephone company or on WhatsApp"),
        "21614": _("not a mobile number"),
        "never_left": _("never sent by this service"),
        "wrong_clock": _("tried by a wrong clock; the time shown is not right"),
    }
