"""A folder per case: ``job.json`` among its files, against ``faults.txt`` or ``normalised.json``.

``faults.txt`` is what ``efficienttam check job.json`` prints, ``exit_code`` what it returns;
``track`` says the same and does not start.
"""

from pathlib import Path

import pytest

from efficienttam.batch.preflight import document_faults
from efficienttam.cli import main
from efficienttam.contract.document import read_job, to_json

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/job.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, monkeypatch, capsys, weights_at_hand):
    monkeypatch.chdir(case)
    if (case / "normalised.json").exists():
        # Their plates are files without pixels, which ``check`` would go on to open.
        assert document_faults("job.json") == []
        assert to_json(read_job("job.json")) == (case / "normalised.json").read_text()
    else:
        exit_code = main(["check", "job.json"])
        printed = capsys.readouterr().out
        assert printed == (case / "faults.txt").read_text()
        assert exit_code == int((case / "exit_code").read_text())
        assert main(["track", "job.json", "--progress", "none"]) == exit_code
        told = capsys.readouterr().err
        assert all(line.strip() in told for line in printed.splitlines()[1:]), told
