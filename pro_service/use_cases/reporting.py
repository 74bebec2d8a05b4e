"""What the command line and the pages look at: one clock reading, one consistent look."""

from collections.abc import Collection, Iterator

from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import RejectedError, problem
from pro_service.core.schedule.asking import way_of_asking
from pro_service.core.schedule.status import participant_status
from pro_service.reports import cards, compliance, story
from pro_service.reports import escalations as escalations_report
from pro_service.reports.compliance import ComplianceRow
from pro_service.reports.escalations import EscalationRow
from pro_service.reports.story import Story
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.participants import cases

PAGE = 500
"""Participants read at once for a list."""


def compliance_rows(rt: Runtime, study_id: int, sites: Collection[int] | None = None) -> list[ComplianceRow]:
    """`report compliance`: what was due in each time point and what came of it."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        return compliance.compliance(session, rt.loader, study_id, now, sites)


def escalation_rows(
    rt: Runtime, study_id: int, sites: Collection[int] | None = None, *, open_only: bool = False
) -> list[EscalationRow]:
    """`report escalations`: everything that was ever somebody's work, in the order it was raised."""
    with rt.sessions.reading() as session:
        return escalations_report.escalations(session, study_id, sites, open_only=open_only)


def participant_story(rt: Runtime, study_id: int, code: str) -> Story | None:
    """`participant show CODE`; None if there is no such participant."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        return story.participant_story(session, rt.vault, rt.loader, study_id, code, now)


def due_cards(rt: Runtime, study_id: int, site: str | None = None) -> cards.Cards:
    """The cards that are to be printed and to be handed over; RejectedError if the study has no such site."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        known = studies.site_ids(session, study_id)
        if site is not None and site not in known:
            raise RejectedError((problem("not_a_site", "--site", given=quoted(site), known=tuple(known)),))
        return cards.cards(session, rt.loader, study_id, now, None if site is None else [known[site]])


def participant_rows(rt: Runtime, study_id: int) -> Iterator[dict[str, object]]:
    """Every participant in the order of their codes, as the list shows them."""
    now, after = rt.clock(), ""
    while True:
        with rt.sessions.reading() as session:
            ids = cases.ids_by_code(session, study_id, after, PAGE)
            loaded = {one.case.participant.id: one.case for one in rt.loader.load(session, list(ids), lock=False)}
        for participant_id in ids:
            case = loaded[participant_id]
            person = case.participant
            after = person.code
            yield {
                "participant": person.code,
                "site": person.site.code,
                "status": participant_status(case, now),
                "procedure_date": person.procedure_date,
                "language": person.language,
                "channel": person.channel,
                "asked_by": way_of_asking(person),
                "ladder": story.ladder(person),
                "texts": person.asked_by is not None and not person.lacks_card,
                "card": "handed" if person.card_handed_at else "made" if person.card_made_at else None,
            }
        if len(ids) < PAGE:
            return
