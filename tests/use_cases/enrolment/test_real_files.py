"""Files as coordinators send them: each is taken whole, or told what is wrong with it and nothing else."""

from pro_service.runtime import Runtime
from tests import import_files


def test_every_file_is_told_what_it_is(rt: Runtime) -> None:
    study_id = import_files.load(rt)
    every = import_files.every()
    found = {file.name: import_files.told(rt, study_id, file)[0] for file in every}
    assert found == {file.name: file.says for file in every}
    assert len(found) > 100
