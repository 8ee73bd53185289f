"""The time: points are put where their records say, and dashboards look at the last hours."""

from datetime import datetime

from dial_enricher.doctor.finding import Level, Said
from dial_enricher.sinks.influx.fates import http_date

_TOLERANCE = 60.0
"""Seconds. Clocks that are set by a network are nearer than that."""


def clock(now: datetime, date: str, newest: int | None) -> Said:
    """Compares this machine's time with the server's `date`, a header, else with the newest record read.

    `newest` is in nanoseconds since 1970.
    """
    told = http_date(date)
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if told is not None:
        ahead = (now - told).total_seconds()
        if abs(ahead) > _TOLERANCE:
            direction = "ahead of" if ahead > 0 else "behind"
            yield (
                Level.WARN,
                f"{shown}, {abs(ahead):.0f} s {direction} the server's; let both follow one clock",
            )
        else:
            yield Level.OK, f"{shown}, as the server's"
    elif newest is not None and newest / 1e9 - now.timestamp() > _TOLERANCE:
        behind = newest / 1e9 - now.timestamp()
        yield Level.WARN, f"{shown}, {behind:.0f} s behind the newest record that was read; set the clock"
    else:
        yield Level.OK, shown
