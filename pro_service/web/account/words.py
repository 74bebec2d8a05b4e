"""What is wrong with an account's fields, in the reader's language; agents and purposes of links."""

from collections.abc import Iterable, Mapping

from pro_service.core.problems import Problem
from pro_service.use_cases.staff.accounts import LONGEST_PASSWORD, PASSWORD_LENGTH
from pro_service.web.i18n import gettext as _


def by_field(faults: Iterable[Problem]) -> Mapping[str, str]:
    """Return what is wrong with each field: the first fault of each, by field."""
    words, found = _words(), dict[str, str]()
    for fault in faults:
        found.setdefault(fault.path, words.get(fault.fault, fault.fault))
    return found


def _words() -> dict[str, str]:
    guessed = _("This would be guessed: choose a sentence only you would think of.")
    return {
        "is not an e-mail address": _("Write an e-mail address, as name@example.org."),
        f"is shorter than {PASSWORD_LENGTH} characters": _("Too short: 12 characters or more, best a sentence."),
        f"is longer than {LONGEST_PASSWORD} characters": _("Too long: at most 1024 characters."),
        "is the e-mail address, or one character repeated": guessed,
        "is not your password": _("This is not your password."),
        "differs from the password": _("The two do not match."),
        "is not a role": _("Choose a role."),
        "is not a site of this study": _("Choose a site of this study, or every site."),
        "is not a study": _("Choose a study."),
        "is not named, and there is not exactly one": _("Choose a study."),
        "has an account already": _("There is an account with this address already: give it a role instead."),
        "cannot be mailed": _("No mail can be sent: SMTP_HOST and MAIL_FROM are not set. Use the command line."),
        "is your own account": _("This cannot be done to your own account: ask another administrator."),
        "is the last administrator": _("Somebody must remain administrator: name another one first."),
        "is not a code of now": _("This code is wrong. Wait for the next one and type it at once."),
        "is nobody's address": _("Nobody has this address."),
        "is no day within the next 120 days": _("Choose a day from tomorrow on, at most 120 days away."),
        "is not a day": _("Write a day, as 2026-03-09."),
        "ends before it begins": _("The last day is before the first."),
        "is every study, and nobody is an investigator of every study who could approve it": _(
            "Nobody is an investigator of every study, who could approve this: give the role study by study."
        ),
        "is missing": _("Say in a few words why."),
        "is longer than 500 characters": _("Too long: at most 500 characters."),
        "is no telephone number": _(
            "This is no telephone number that exists: check its digits, and write it as +90 532 123 45 67."
        ),
        "takes no texts from here": _("No texts can be sent to this number: give a mobile number."),
        "is empty": _("Give your mobile number."),
        "is not agreed to": _("Tick this if you want the texts; without it no number is saved."),
        "is not a time of day": _("Write hours and minutes, as 14:30."),
        "needs both ends": _("Fill in both times, or leave both empty."),
        "is when it begins": _("Both times are the same: leave both empty for any hour."),
        "is no participant you may see": _("There is no such participant here."),
    }


def roles() -> dict[str, str]:
    """Return what each role is called."""
    return {
        "coordinator": _("Coordinator"),
        "assessor": _("Blinded assessor"),
        "investigator": _("Investigator"),
        "data-manager": _("Data manager"),
        "monitor": _("Monitor"),
        "administrator": _("Administrator"),
    }


def actions() -> dict[str, str]:
    """Return what the audit trail says of accounts."""
    return {
        "login": _("Signed in"),
        "login_failed": _("Sign-in failed"),
        "logout": _("Signed out"),
        "choose_language": _("Language chosen"),
        "add_user": _("Account made"),
        "invite": _("Invited"),
        "grant_role": _("Role given"),
        "revoke_role": _("Role ended"),
        "approve_role": _("Role approved"),
        "refuse_role": _("Role refused"),
        "choose_digest": _("Daily mail switched"),
        "digest": _("The day's work mailed"),
        "disable_user": _("Account disabled"),
        "enable_user": _("Account enabled"),
        "set_password": _("Password set"),
        "ask_reset": _("New password asked for"),
        "send_link": _("Link mailed"),
        "confirm_identity": _("Password typed again"),
        "confirm_failed": _("Wrong password when asked again"),
        "set_up_factor": _("Second factor set up"),
        "factor_failed": _("Wrong code"),
        "reset_factor": _("Second factor reset"),
        "new_recovery_codes": _("New recovery codes"),
        "use_recovery_code": _("Recovery code used"),
        "end_sessions": _("Sessions ended"),
        "agree_texts": _("Agreed to texts about urgent tasks"),
        "remove_texts": _("Own telephone deleted"),
        "end_texts": _("Texts to a colleague's telephone ended"),
    }
