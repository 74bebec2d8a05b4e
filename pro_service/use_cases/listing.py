"""`participant list`: every participant of a study, page by page."""

from collections.abc import Iterator

from pro_service.reports import compliance
from pro_service.runtime import Runtime
from pro_service.store.participants import cases

PAGE = 500


def participants(rt: Runtime, study_id: int) -> Iterator[dict[str, object]]:
    """Every participant in the order of their codes, as the list shows them."""
    now, after = rt.clock(), ""
    while True:
        with rt.sessions.reading() as session:
            page = cases.page(session, study_id, after, PAGE)
            loaded = {one.case.participant.id: one.case for one in rt.loader.load(session, list(page), lock=False)}
        for participant_id in page:
            case = loaded[participant_id]
            person = case.participant
            after = person.code
            yield {
                "participant": person.code,
                "site": person.site.code,
                "status": compliance.participant_status(case, now),
                "procedure_date": person.procedure_date,
                "language": person.language,
                "channel": person.channel,
                "texts": person.has_phone and person.consented_at is not None,
            }
        if len(page) < PAGE:
            return
