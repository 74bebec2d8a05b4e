"""`pro-service participant reach CODE`: whether a text reaches them before they leave the clinic."""

from datetime import timedelta
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, who
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import RejectedError, problem


@click.command()
@click.argument("code")
@click.option("--minutes", type=int, default=30, show_default=True, help="How long to wait for the confirmation.")
@click.option("--confirmed", "action", flag_value="confirmed", help="The participant showed the text.")
@click.option("--failed", "action", flag_value="failed", help="It does not work; --reason says why.")
@click.option("--state", "action", flag_value="state", help="Only show how the newest test stands.")
@click.option("--reason", default="", help="Why it failed; saved in the audit trail.")
@of_study
@as_json
@click.pass_obj
def reach(state: State, code: str, minutes: int, action: str | None, reason: str, study_code: str | None) -> None:
    """Send a test text, or report its result.

    Confirmed by reply, by its link or by staff. Not delivered, or not confirmed in time: the participant gets no more
    texts, every window becomes a call, and a task tells the staff.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import contact_test as use_case  # noqa: PLC0415

    with opened(state) as rt:
        actor = Actor(kind="staff", id=who(), source="cli")
        subject = use_case.Subject(study.chosen(rt, study_code).id, code)
        try:
            if action == "confirmed":
                use_case.confirm_by_staff(rt, actor, subject)
            elif action == "failed":
                use_case.fail_by_staff(rt, actor, subject, reason)
            elif action is None:
                use_case.begin(rt, actor, subject, timedelta(minutes=minutes))
            test = use_case.latest_by_code(rt, subject)
        except KeyError:
            raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),)) from None
        except use_case.ReachRefusedError as refusal:
            raise RejectedError((refusal.problem.at("CODE"),)) from None
    _show(state, code, test)


def _show(state: State, code: str, test: Any) -> None:
    from pro_service.core.conversation.contact_test import state as state_of  # noqa: PLC0415

    if test is None:
        facts: dict[str, Any] = {"participant": code, "state": "not tried"}
    else:
        facts = {
            "participant": code,
            "state": state_of(test),
            "started_at": test.started_at,
            "expires_at": test.expires_at,
            "text": test.text,
            "confirmed_at": test.confirmed_at,
            "confirmed_by": test.confirmed_by,
            "failed_at": test.failed_at,
            "failure": test.failure,
        }
    if state.as_json:
        show_json(facts)
        return
    why = facts.get("confirmed_by") or facts.get("failure")
    click.echo(f"{code}: {facts['state'].replace('_', ' ')}" + (f" ({why})" if why else ""))
