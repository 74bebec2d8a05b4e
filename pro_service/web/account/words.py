"""Roles, and what the audit trail says of accounts, in the reader's language."""

from pro_service.web.i18n import gettext as _


def roles() -> dict[str, str]:
    """Return what each role is called."""
    return {
        "coordinator": _("Coordinator"),
        "assessor": _("Blinded assessor"),
        "investigator": _("Investigator"),
        "data-manager": _("Data manager"),
        "monitor": _("Monitor"),
        "statistician": _("Statistician"),
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
