"""What the tests of the office's changes share: a form filled in, and what is true before and after it."""

from dataclasses import dataclass, replace
from typing import cast

import pytest
from sqlalchemy import select

from pro_service.core.case import Case
from pro_service.core.changes.plan import case_after, plan_change
from pro_service.core.changes.preview import ChangePreview
from pro_service.core.problems import ChangeRefusedError, words
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.participants import contact
from pro_service.store.schema import audit_trail, messages
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import Action, ChangeForm, Known, read
from pro_service.use_cases.tick import tick
from tests import support
from tests.support import SetClock

REASON = "as the site's file says"
STAFF = replace(support.SETUP, kind="staff", id="cli:office")


@dataclass(slots=True)
class Office:
    """One participant, and the office that changes things."""

    rt: Runtime
    study_id: int
    clock: SetClock
    who: int
    code: str = "P-001"

    @property
    def case(self) -> Case:
        return support.loaded(self.rt, self.who).case

    def until(self, text: str) -> None:
        """The clock moves on, and scheduler and delivery do what is due then."""
        self.clock.now = support.at(text)
        self.beat()

    def beat(self) -> None:
        tick(self.rt)
        deliver(self.rt)

    def wanted(self, action: str, **fields: str) -> ChangeForm:
        named = {name.rstrip("_"): value for name, value in fields.items()}
        return ChangeForm(cast("Action", action), named, named.pop("reason", REASON))

    def preview(self, action: str, **fields: str) -> ChangePreview:
        """Look at a change; nothing at all is written."""
        before = support.rows_of(self.rt)
        case = self.case
        told = change.preview(self.rt, self.study_id, self.code, self.wanted(action, **fields))
        assert support.rows_of(self.rt) == before
        assert self.case == case
        return told

    def change(self, action: str, **fields: str) -> ChangePreview:
        """Look at a change and make it: what was shown is what is true afterwards."""
        shown = self.preview(action, **fields)
        foreseen = self.foreseen(self.wanted(action, **fields))
        done = change.change(
            self.rt, STAFF, self.study_id, self.code, self.wanted(action, **fields), revision=shown.revision
        )
        assert done == shown
        assert plainly(self.case) == plainly(foreseen)
        return done

    def foreseen(self, wanted: ChangeForm) -> Case:
        """The case as the rules foresee it."""
        loaded = support.loaded(self.rt, self.who)
        with self.rt.sessions.reading() as session:
            country = contact.telephone_of(session, self.who).phone_country
            frames = self.rt.bundles.get(session, loaded.protocol_version_id).wording.frames
        found = read(wanted, Known(loaded, country, self.clock.now, frames, carriers=self.rt.carriers))
        return case_after(loaded.case, plan_change(loaded.case, found.change, self.clock.now), self.clock.now)

    def refused(self, action: str, **fields: str) -> list[tuple[str, str]]:
        """(field, code) of everything that is said against a change; nothing is written."""
        before, wanted = support.rows_of(self.rt), self.wanted(action, **fields)
        with pytest.raises(ChangeRefusedError) as shown:
            change.preview(self.rt, self.study_id, self.code, wanted)
        with pytest.raises(ChangeRefusedError) as error:
            change.change(self.rt, STAFF, self.study_id, self.code, wanted)
        assert shown.value.notes == error.value.notes
        assert support.rows_of(self.rt) == before
        return [(note.path, note.code) for note in error.value.notes]

    def faults(self, action: str, **fields: str) -> list[tuple[str, str, str]]:
        """(field, what, remedy) of everything that is said against a change, in words."""
        with pytest.raises(ChangeRefusedError) as error:
            change.preview(self.rt, self.study_id, self.code, self.wanted(action, **fields))
        return [(note.path, *words(note)) for note in error.value.notes]

    def seen_from(self, site: str) -> bool:
        """Whether somebody of this site can change anything about the participant."""
        with self.rt.sessions.reading() as session:
            ids = frozenset({studies.site_ids(session, self.study_id)[site]})
        try:
            change.preview(self.rt, self.study_id, self.code, self.wanted("resume"), sites=ids)
        except KeyError:
            return False
        return True

    def texts(self) -> list[tuple[str, str]]:
        """(kind, state) of every text, oldest first."""
        with self.rt.sessions.reading() as session:
            rows = session.execute(
                select(messages.c.kind, messages.c.state)
                .where(messages.c.channel == "sms")
                .order_by(messages.c.queued_at, messages.c.id)
            )
            return [(row.kind, row.state) for row in rows]

    def audited(self, action: str) -> list[tuple[str, str | None]]:
        """(who, why) of every audit row of this action."""
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            rows = session.execute(select(a.actor, a.reason).where(a.action == action).order_by(a.id))
            return [(row.actor, support.typed(self.rt, row.reason)) for row in rows]

    def statuses(self, told: ChangePreview) -> dict[str, str | None]:
        return {window.code: window.status for window in told.windows}


def plainly(case: Case) -> dict[str, object]:
    """A case without what a database alone decides: ids of new windows, versions, the revision, since when a number."""
    names = {window.id: (window.code, window.schedule) for window in case.windows}
    answers = {
        names[window.id]: {
            item: (answer.value, answer.declined, answer.received_at, answer.in_window)
            for item, answer in window.answers.items()
        }
        for window in case.windows
    }
    return {
        # The rules are not told which number there is: one that is entered again is not another one.
        "participant": replace(case.participant, revision=0, phone_since=None, email_since=None),
        "protocol": case.protocol,
        "windows": {names[w.id]: (w.span, w.point, w.cancelled_at is None, w.settled) for w in case.windows},
        "answers": answers,
        "texts": {text.id: text.state for text in case.messages},
        "tasks": {one.id: one.outcome for one in case.escalations},
    }
