"""Every folder below `cases`: the program must write exactly what is on file there."""

from pathlib import Path

import pytest

from tests.golden import CASES, Case, all_cases, difference


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_case(case: Case) -> None:
    expected, written = case.expected(), case.run()
    if expected != written:
        pytest.fail(difference(expected, written), pytrace=False)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_folder_holds_what_a_case_needs_and_nothing_else(case: Case) -> None:
    assert not case.strangers()


def test_every_folder_is_a_case() -> None:
    folders = {Path(*path.parts[: len(CASES.parts) + 2]) for path in CASES.rglob("*") if path.is_file()}
    assert folders == {case.folder for case in all_cases()}
