"""Writes what the program writes now into the golden cases: `python -m tests.rewrite_cases [NAME...]`.

Review the diff: an expectation that changed is a promise to users that changed.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.golden import Case, all_cases


def main(wanted: list[str]) -> None:
    """Rewrite the cases whose name begins with one of the words; without words all."""
    cases = [case for case in all_cases() if case.name.startswith(tuple(wanted or [""]))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, changed in zip(cases, pool.map(Case.rewrite, cases), strict=True):
            for name in changed:
                print(f"{case.name}/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
