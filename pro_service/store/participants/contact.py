"""Changes by staff to a participant's row, written at once: facts, the site with all that hangs on it, the number.

Each leaves one audit row; contact values stand in it masked.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from pro_service.core.texts import masked, masked_address
from pro_service.store.participants import counts
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.enrolment import seal_of_telephone
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, escalations, former_telephones, participants, windows
from pro_service.store.session import Session
from pro_service.store.vault import UNREADABLE, UnreadableError, Vault, opened, sealed

p, f = participants.c, former_telephones.c


def change(
    writer: Writer,
    loaded: Loaded,
    columns: Mapping[str, Any],
    changes: Mapping[str, tuple[object, object]],
    action_and_reason: tuple[str, str | None],
) -> None:
    """Change columns of the participant's row; the audit row says `changes`, the action and the reason."""
    person = loaded.case.participant
    statement = update(participants).where(p.id == person.id)
    writer.session.execute(statement.values(**columns, revision=p.revision + 1))
    action, reason = action_and_reason
    writer.note(loaded, action, "participant", person.id, writer.saying(person.id, changes), reason)
    writer.check_again(loaded)


def move(writer: Writer, loaded: Loaded, site_id: int) -> None:
    """Open work goes with the participant, and the windows that were counted are counted at the new site."""
    e, w, connection = escalations.c, windows.c, writer.session.connection()
    person_id = loaded.case.participant.id
    open_work = update(escalations).where(e.participant_id == person_id, e.resolved_at.is_(None))
    connection.execute(open_work.values(site_id=site_id))
    counted = select(w.code, w.settled).where(w.participant_id == person_id, w.settled.is_not(None))
    changes: dict[tuple[int, int, str, str], int] = defaultdict(int)
    for row in connection.execute(counted).all():
        changes[loaded.study_id, loaded.site_id, row.code, row.settled] -= 1
        changes[loaded.study_id, site_id, row.code, row.settled] += 1
    counts.tally(writer.session, changes)
    counts.move(writer.session, loaded, site_id)


def telephone_of(session: Session, participant_id: int) -> AnyRow:
    """The participant's number as it is kept: (phone, phone_index, phone_country)."""
    return session.execute(select(p.phone, p.phone_index, p.phone_country).where(p.id == participant_id)).one()


def telephone_seal(session: Session, participant_id: int) -> str | None:
    """The hash of the number as it is kept."""
    return seal_of_telephone(telephone_of(session, participant_id)._asdict())


def new_telephone(writer: Writer, loaded: Loaded, number: str | None, country: str | None) -> dict[str, Any]:
    """Keep the number there was among the former ones; return the columns of the new one. KeyError once erased."""
    person_id = loaded.case.participant.id
    if loaded.data_key is None:
        raise KeyError(person_id)
    key = writer.vault.data_key(loaded.data_key, person_id)
    old = telephone_of(writer.session, person_id)
    if old.phone is not None:
        row_id = next(writer.ids)
        try:
            former = sealed(key, opened(key, old.phone, f"participants|phone|{person_id}"), former_place(row_id))
        except UnreadableError:
            # A number that is damaged must be replaceable; it is kept as it is, in case a backup can mend it.
            former = old.phone
        row = {
            "id": row_id,
            "study_id": loaded.study_id,
            "participant_id": person_id,
            "phone": former,
            "phone_index": old.phone_index,
            "phone_country": old.phone_country,
            "replaced_at": writer.now,
        }
        writer.add(former_telephones, row)
    return {
        "phone": None if number is None else sealed(key, number.encode(), f"participants|phone|{person_id}"),
        "phone_index": None if number is None else writer.vault.index("phone", number),
        "phone_country": country,
    }


def address_of(session: Session, participant_id: int) -> bytes | None:
    """Return the participant's e-mail address as it is kept."""
    kept: bytes | None = session.scalar(select(p.email).where(p.id == participant_id))
    return kept


def read_address(session: Session, vault: Vault, loaded: Loaded) -> str | None:
    """Return the e-mail address; None if there is none. Raise UnreadableError if it cannot be decrypted."""
    person_id = loaded.case.participant.id
    kept = address_of(session, person_id)
    if kept is None or loaded.data_key is None:
        return None
    return opened(vault.data_key(loaded.data_key, person_id), kept, _address_place(person_id)).decode()


def address_masked(session: Session, vault: Vault, loaded: Loaded) -> str | None:
    """Return the stored address, masked; only dots if it cannot be decrypted; None if there is none."""
    try:
        address = read_address(session, vault, loaded)
    except UnreadableError:
        return UNREADABLE
    return None if address is None else masked_address(address)


def new_address(writer: Writer, loaded: Loaded, address: str | None) -> dict[str, Any]:
    """Return the column of another address; the one there was is not kept. KeyError once erased."""
    person_id = loaded.case.participant.id
    if loaded.data_key is None:
        raise KeyError(person_id)
    key = writer.vault.data_key(loaded.data_key, person_id)
    return {"email": None if address is None else sealed(key, address.encode(), _address_place(person_id))}


def _address_place(person_id: int) -> str:
    return f"participants|email|{person_id}"


def former_place(row_id: int) -> str:
    """Where a former number is sealed for."""
    return f"former_telephones|phone|{row_id}"


def telephone_masked(vault: Vault, loaded: Loaded) -> str | None:
    """The stored number, masked; only dots if it cannot be decrypted; None if there is none."""
    if loaded.phone is None or loaded.data_key is None:
        return None
    person_id = loaded.case.participant.id
    try:
        key = vault.data_key(loaded.data_key, person_id)
        return masked(opened(key, loaded.phone, f"participants|phone|{person_id}").decode())
    except UnreadableError:
        return UNREADABLE


def went_to(session: Session, participant_id: int, started_at: datetime) -> AnyRow | None:
    """The number a text of this attempt went to, where it has been replaced since: (id, phone, phone_index)."""
    later = select(f.id, f.phone, f.phone_index).where(f.participant_id == participant_id, f.replaced_at > started_at)
    return session.execute(later.order_by(f.replaced_at, f.id).limit(1)).first()
