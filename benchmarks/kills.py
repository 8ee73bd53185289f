"""`kill -9` at random moments: `python -m benchmarks.kills`.

The program brings file after file into a real InfluxDB, with a checkpoint, and is killed again and again on
the way. In the end each point has to be in the database once, and no kill may have cost more than what was
under way.
"""

import argparse
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from tests.hunts import hunt, hunt_following
from tests.influxd import influxd
from tests.killing import UNDER_WAY, Tally

DATABASE = "dial"


def goals(tally: Tally, kills: int) -> dict[str, tuple[str, str, bool]]:
    """What was measured, what was wanted, and whether that is so."""
    zero = {
        "points lost": tally.lost,
        "points twice in the database": tally.surplus,
        "records before a mark that were not stored": tally.passed_over,
        "records sent again though a mark stood behind them": tally.needless,
    }
    still_open = tally.most_open
    return {
        "kills that hit": (f"{tally.kills:,}", f"{kills:,}", tally.kills >= kills),
        **{what: (f"{count:,}", "0", count == 0) for what, count in zero.items()},
        "packages behind the marks at a save, most": (
            f"{still_open}",
            f"<= {UNDER_WAY}",
            still_open <= UNDER_WAY,
        ),
    }


def figures(tally: Tally) -> dict[str, str]:
    """What else was measured."""
    phases = {f"kills: {phase}": f"{count:,}" for phase, count in tally.hits.most_common()}
    again = {
        "records sent again after a kill, mean": f"{mean(tally.again):.1f}",
        "records sent again after a kill, most": f"{max(tally.again):,}",
    }
    return {"runs": f"{tally.runs:,}", **phases, **again}


def main() -> None:
    """Kill, print a table, and fail when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description="Kill the program.")
    parser.add_argument("--runs", type=int, default=1000, metavar="N", help="how many kills have to hit")
    parser.add_argument("--follow", action="store_true", help="kill it while it follows files that grow")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments = parser.parse_args()
    kind = hunt_following if arguments.follow else hunt
    with TemporaryDirectory() as name, influxd(Path(name)) as influx:
        tally = kind(influx, DATABASE, Path(name), arguments.runs, arguments.seed)
    print("| what | measured | goal |\n|---|---:|---:|")
    for what, measured in figures(tally).items():
        print(f"| {what} | {measured} | |")
    reached = goals(tally, arguments.runs)
    for what, (measured, goal, met) in reached.items():
        print(f"| {what} | {measured} | {goal}{'' if met else ' (**missed**)'} |")
    sys.exit(not all(met for *_, met in reached.values()))


if __name__ == "__main__":
    main()
