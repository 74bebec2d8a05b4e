"""A text from a telephone that nobody has: a task for each study, and one neutral answer a day."""

from pro_service.core.conversation import unknown_sender as rules
from pro_service.core.conversation.rules import Reply
from pro_service.core.texts import segments
from pro_service.store import studies
from pro_service.store.messages import inbox, unknown_sender
from pro_service.store.messages.inbox import Text
from pro_service.store.participants.writer import Words
from pro_service.use_cases.carrying import Work


def take(unit: Work, row: Text, number: str, reply: Reply) -> str:
    """Give it to a person, and answer where the gate lets us; gives how it was read. The number goes nowhere else."""
    reading = rules.meaning(reply.text, reply.media)
    reading = {"STOP": "OptOut", "START": "OptIn"}.get(reply.opt_out or "", reading)
    known = studies.every(unit.session)
    inbox.handed(unit.session, row.id, unit.now, "unknown_sender")
    # Whose it may be nobody knows: a task without a study would be on nobody's list.
    for study in known:
        unit.writer.possible_participant(row.sender_index, study.id)
    if reading == "OptOut":
        unknown_sender.cancel(unit.session, row.sender_index, unit.now)
    stopped = unknown_sender.stopped(unit.session, row.sender_index)
    answered = unknown_sender.answered(unit.session, row.sender_index, unit.now - rules.ONCE)
    if known and rules.may_answer(number, reading, stopped=stopped, answered=answered):
        # The sender is shared by all studies, and the words name none.
        _answer(unit, known[0].id, row, number)
    return reading if reading in ("OptOut", "OptIn") else "unattributed"


def _answer(unit: Work, study_id: int, row: Text, number: str) -> None:
    version = studies.newest(unit.session, study_id)
    if version is None:
        return
    frames = unit.rt.wording(unit.session, version.id).frames
    body = frames[rules.language(number, tuple(frames))][rules.FRAME].strip()
    unknown_sender.queue(unit.writer, study_id, row.id, row.sender_index, Words(body, segments(body), version.id))
