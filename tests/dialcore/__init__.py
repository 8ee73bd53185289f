"""A stand-in for DIAL Core that writes its log: `python -m tests.dialcore --help`.

It knows what it wrote: the `Totals` beside a log say how many points of which measurement, how many
tokens and how much money a reader has to find in it.
"""

from tests.dialcore.generator import Generator
from tests.dialcore.totals import Totals

__all__ = ["Generator", "Totals"]
