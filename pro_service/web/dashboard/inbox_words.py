"""The words of the inbox: why a text waits, what may be answered, what was done with it, what is wrong in a form."""

from pro_service.web.i18n import gettext as _


def reasons() -> dict[str, str]:
    """Return why a text waits for a person, besides what raises a task."""
    return {
        "reach_failed": _("messages do not reach this participant: telephone first"),
        "picture": _("a picture or voice note"),
        "unknown_sender": _("an unknown number"),
        "fault": _("the service could not read it"),
        "unread": _("not read yet"),
    }


def parts() -> dict[str, str]:
    """Return the parts of the inbox one may look at."""
    return {"open": _("Waiting"), "done": _("Dealt with"), "all": _("All")}


def templates() -> dict[str, str]:
    """Return the texts of the study that may be sent as an answer."""
    return {
        "reask": _("Ask for one whole number"),
        "media": _("We cannot read pictures or voice messages"),
        "proxy": _("Only the participant's own answer counts"),
        "handed-over": _("Somebody will look at the message"),
        "call-me": _("Somebody will call"),
        "help": _("Who we are and how to stop"),
        "unscheduled": _("There is no question at the moment"),
    }


def actions() -> dict[str, str]:
    """Return what was done, as the audit trail names it."""
    return {
        "reach_begin": _("Test message sent"),
        "reach_confirm": _("Test message confirmed"),
        "reach_fail": _("Test message failed"),
        "reach_again": _("Messages allowed again"),
        "inbox_record": _("Score saved from a message"),
        "inbox_answer": _("Message answered"),
        "inbox_call": _("Call task created from a message"),
        "inbox_reveal": _("Message marked as revealing the treatment"),
        "reveal": _("Noted: the treatment was revealed"),
        "inbox_done": _("Message dealt with"),
        "attribute": _("Message attributed to the participant"),
        "read": _("Message read"),
    }


def kinds() -> dict[str, str]:
    """Return kinds of text that only the inbox shows."""
    return {"stranger": _("Neutral answer"), "reach": _("Test message")}
