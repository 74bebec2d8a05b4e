"""What each role may do. The one table: a route names the capability it needs, a role holds it or does not."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from pro_service.core.protocol import Role
from pro_service.store.staff.accounts import Grant

Capability = Literal[
    "account",
    "work",
    "tasks",
    "contact",
    "entry",
    "progress",
    "scores",
    "export",
    "free_text",
    "audit",
    "audit_values",
    "queries",
    "ask",
    "reply",
    "team",
    "approve",
    "columns",
    "confirm",
    "revelations",
    "users",
    "system",
]
"""account: one's own; work: the coordinators' day; tasks: those that the ladder gives to a role; contact: telephones;
entry: answers told or measured; progress: answered or not; scores: values and what is derived from them; export: the
data set as files; free_text: reasons as they were typed; audit: the trail; audit_values: from what to what; queries:
what sites are asked about the data, with the answers; ask: to ask and to close one; reply: to answer one; team: who has
which role in the study; approve: roles and erasures that wait; columns: names of an export's columns that may pass;
confirm: a version of the study; revelations: when treatments were revealed, never what was said; users: accounts and
roles; system: sites, health, the installation's own trail."""

GRANTED: Mapping[Role, frozenset[Capability]] = {
    "coordinator": frozenset(
        {"account", "work", "contact", "entry", "progress", "free_text", "audit", "queries", "reply"}
    ),
    "assessor": frozenset({"account", "entry"}),
    "investigator": frozenset(
        {
            "account",
            "tasks",
            "approve",
            "columns",
            "confirm",
            "progress",
            "scores",
            "export",
            "free_text",
            "audit",
            "audit_values",
            "team",
            "revelations",
        }
    ),
    "data-manager": frozenset(
        {"account", "tasks", "progress", "scores", "export", "audit", "audit_values", "queries", "ask", "revelations"}
    ),
    "monitor": frozenset(
        {"account", "tasks", "progress", "scores", "export", "audit", "audit_values", "queries", "ask", "team"}
    ),
    "statistician": frozenset({"account", "progress", "scores", "export"}),
    "administrator": frozenset({"account", "audit", "team", "columns", "users", "system"}),
}
"""An assessor is blinded: what others answered or wrote, and what is derived from it, is never theirs."""

ROLES: frozenset[Role] = frozenset(GRANTED)
CAPABILITIES: frozenset[Capability] = frozenset(get_args(Capability))

UNBLINDING: frozenset[Capability] = frozenset(
    {"scores", "export", "free_text", "audit_values", "queries", "ask", "reply", "revelations"}
)
"""Closed to assessors of the study, whatever else they are there."""


def held(grants: Iterable[Grant], capability: Capability) -> tuple[Grant, ...]:
    """Return those of somebody's grants that hold a capability; one role more never unblinds an assessor."""
    every = tuple(grants)
    blind = {grant.study_id for grant in every if grant.role == "assessor"} if capability in UNBLINDING else set()
    return tuple(
        grant
        for grant in every
        if capability in GRANTED[grant.role] and not (blind and (None in blind or grant.study_id in (None, *blind)))
    )


def assesses(grants: Iterable[Grant], study_id: int) -> bool:
    """Return whether somebody is an assessor of this study: they see nothing that was kept, whatever else they are."""
    return any(grant.role == "assessor" and grant.study_id in (None, study_id) for grant in grants)


def having(capability: Capability) -> frozenset[Role]:
    """Return the roles that hold a capability."""
    return frozenset(role for role, held in GRANTED.items() if capability in held)
