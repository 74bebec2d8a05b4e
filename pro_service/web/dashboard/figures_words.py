"""The word for every code on the pages of figures: channels, fates and routes of texts, classes of time, rules."""

from pro_service.web.i18n import gettext as _


def terms() -> dict[str, dict[str, str]]:
    """Kinds of codes with their words, beside those of the vocabulary."""
    return {
        "channel": {
            "sms-reply": _("Text, answered by text"),
            "sms-link": _("Text with a link"),
            "sms-card": _("Text, answered with the card"),
            "calls": _("Telephone only"),
        },
        "failure": _failures(),
        "tone": {
            "completed_in_window": _("Completed"),
            "completed_late": _("Completed late"),
            "partial": _("Partial"),
            "declined": _("Declined"),
            "missed": _("Missed"),
            "not_applicable": _("Left during"),
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
            "missed": _("The provider, asked, did not know of it"),
            "ended": _("Ended"),
        },
        "carried": _carried(),
        **_of_the_study(),
    }


def _of_the_study() -> dict[str, dict[str, str]]:
    """What the page of the study calls its rules."""
    return {
        "role": {
            "coordinator": _("coordinator"),
            "assessor": _("assessor"),
            "investigator": _("investigator"),
            "data-manager": _("data manager"),
            "monitor": _("monitor"),
            "administrator": _("administrator"),
        },
        "trigger": {
            "E0": _("a text cannot arrive, the number is wrong, or there is no way to reach the participant"),
            "E1": _("the call moment of the window has come and the answer is missing"),
            "E2": _("the call is still open shortly before the close, or several calls were in vain"),
            "E3": _("the window closed without an answer"),
            "E4": _("windows missed in a row"),
            "ES": _("a word or a value that asks for a clinician"),
        },
        "mode": {"message": _("asked by text or call"), "clinic": _("entered in the clinic")},
        "tongue": {"tr": _("Turkish"), "en": _("English")},
    }


def _carried() -> dict[str, str]:
    """What a provider reports of a text that is no state of ours."""
    return {
        "scheduled": _("planned by the provider"),
        "queued": _("queued by the provider"),
        "sending": _("being sent by the provider"),
        "canceled": _("withdrawn at the provider"),
        "read": _("read"),
    }


def _took() -> dict[str, str]:
    """Classes of time to answer."""
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
    """Why a text did not arrive, by what our records or the provider's code say."""
    return {
        "30003": _("telephone off or unreachable"),
        "30004": _("blocked by the telephone company"),
        "30005": _("number unknown or not in service"),
        "30006": _("landline, or a network that takes no texts"),
        "30007": _("filtered as unwanted"),
        "30008": _("unknown reason at the telephone company"),
        "21211": _("not a valid number"),
        "21610": _("stopped texts at the telephone company"),
        "21614": _("not a mobile number"),
        "never_left": _("never left this service"),
    }
