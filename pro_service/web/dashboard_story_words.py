"""The words of a participant's story and of derived outcomes."""

from pro_service.web.i18n import gettext as _


def words() -> dict[str, dict[str, str]]:
    """Code -> word, by kind, for the vocabulary of the pages."""
    return {
        "chip": {
            "messages": _("Messages"),
            "answers": _("Answers"),
            "calls": _("Calls and tasks"),
            "changes": _("Changes"),
        },
        "no_value": {
            "baseline_zero": _("baseline of 0: no percentage can be taken"),
            "baseline_missing": _("no baseline"),
            "followup_missing": _("no answer in this window"),
        },
    }
