"""Lines without end, in the order in which Core would have written them."""

from collections.abc import Iterator

from tests.dialcore.record import Line
from tests.dialcore.scenes import SCENES, Scene
from tests.dialcore.totals import Totals
from tests.dialcore.world import SAMPLE, SHAPES, World


class Generator:
    """Writes a log; the same seed, shape and number of lines give the same bytes."""

    def __init__(self, seed: int, shape: str = SAMPLE.name) -> None:
        self._world = World(seed, SHAPES[shape])
        self._sample = self._world.shape is SAMPLE
        self.totals = Totals()
        """Of the lines given so far."""

    def lines(self, count: int) -> Iterator[bytes]:
        """Give so many lines, each with its newline. A call tree is never torn apart."""
        for line in self._planned(count):
            self.totals.add(line)
            yield line.text.encode() + b"\n"

    def _planned(self, count: int) -> Iterator[Line]:
        for scene in self._scenes():
            if count <= 0:
                return
            lines = scene.play(self._world)
            if len(lines) <= count:
                yield from lines
                count -= len(lines)

    def _scenes(self) -> Iterator[Scene]:
        """First, in a sample, each scene once, so that a short one holds everything; then by their shares."""
        dice = self._world.dice
        if self._sample:
            yield from dice.sample(SCENES, len(SCENES))
        shares = [scene.sample if self._sample else scene.production for scene in SCENES]
        while True:
            yield from dice.choices(SCENES, shares, k=100)
