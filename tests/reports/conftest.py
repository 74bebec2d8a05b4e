"""The demonstration study, as in the tests of the store."""

from tests.store.conftest import actor, clock, rt, study_id

__all__ = ["actor", "clock", "rt", "study_id"]
