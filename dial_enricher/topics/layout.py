"""Places on a plane for points in many dimensions: neighbours stay neighbours, and circles do not overlap.

With numpy alone and without chance: the same points get the same places.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPREAD = 500.0
"""How far a point is from the middle of the map, as the root of the mean square."""
_COVERED = 0.32
"""The area of all circles, as a part of the square of twice SPREAD."""
_SMALLEST = 0.2
"""The radius of the smallest circle, as a part of the biggest."""
_GAP = 10.0
_ROUNDS = 600
_EXAGGERATED = 100
"""The first rounds, in which groups of neighbours find together."""
_REGION_ROUNDS = 50


def places(directions: NDArray[np.float32]) -> Array:
    """A place for each row of `directions`, which have length 1, by t-SNE: rows of x and y around (0, 0).

    The map is wider than it is high.
    """
    count = len(directions)
    start = _principal(directions.astype(np.float64))
    if count < 4:
        return _spread(start)
    near = _affinities(2 - 2 * directions.astype(np.float64) @ directions.T, min(10.0, (count - 1) / 3))
    spot = 1e-2 * start / (start.std() or 1) + 1e-4 * _spiral(count)
    step = np.zeros_like(spot)
    for round_ in range(_ROUNDS):
        pull = near * (4 if round_ < _EXAGGERATED else 1)
        apart = spot[:, None] - spot[None]
        kernel = 1 / (1 + (apart**2).sum(2))
        np.fill_diagonal(kernel, 0)
        gradient = 4 * (((pull - kernel / kernel.sum()) * kernel)[:, :, None] * apart).sum(1)
        step = (0.5 if round_ < _EXAGGERATED else 0.8) * step - max(count / 16, 10) * gradient
        spot = spot + step
    return _spread(_principal(spot))


def radii(sizes: Array) -> Array:
    """The radius of a circle for each size: its area stands for the size, unless that is too small to see."""
    roots = np.sqrt(np.maximum(sizes, 0))
    shares = np.maximum(roots / (roots.max() or 1), _SMALLEST)
    result: Array = shares * np.sqrt(_COVERED * (2 * SPREAD) ** 2 / (np.pi * max((shares**2).sum(), 12.0)))
    return result


def parted(spots: Array, radii: Array) -> Array:
    """The places, moved as little as it takes that the circles around them do not overlap."""
    spots = spots + 1e-3 * _spiral(len(spots))
    least = radii[:, None] + radii[None] + _GAP
    np.fill_diagonal(least, 0)
    for _ in range(_ROUNDS):
        apart = spots[:, None] - spots[None]
        distance = np.sqrt((apart**2).sum(2))
        lacking = np.maximum(least - distance, 0)
        if lacking.max() < 1e-3:
            break
        spots += (apart * (lacking / np.maximum(distance, 1e-6) / 2)[:, :, None]).sum(1)
    return spots


def regions(spots: Array, count: int) -> NDArray[np.intp]:
    """The region of each place, by k-means: 0 to `count` - 1, the one with the most places first."""
    centres = spots[:1]
    while len(centres) < min(count, len(spots)):  # the next centre is where none is near
        farthest = _distances(spots, centres).min(1).argmax()
        centres = np.vstack([centres, spots[farthest]])
    for _ in range(_REGION_ROUNDS):
        region = _distances(spots, centres).argmin(1)
        centres = np.array(
            [
                spots[region == one].mean(0) if (region == one).any() else centre
                for one, centre in enumerate(centres)
            ]
        )
    order = np.argsort(-np.bincount(region, minlength=len(centres)), kind="stable")
    names: NDArray[np.intp] = np.argsort(order)[region]
    return names


def _spiral(count: int) -> Array:
    """A step of length 1 for each point, each its own way: without it equal points would never part."""
    turns = np.arange(count) * np.pi * (3 - 5**0.5)
    return np.column_stack([np.cos(turns), np.sin(turns)])


def _distances(spots: Array, centres: Array) -> Array:
    squares: Array = ((spots[:, None] - centres[None]) ** 2).sum(2)
    return squares


def _principal(points: Array) -> Array:
    """The points on their two main axes; each axis points to where the farthest point is."""
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    spots = np.zeros((len(points), 2))
    spots[:, : min(2, len(axes))] = centred @ axes[:2].T
    farthest = spots[np.abs(spots).argmax(0), [0, 1]]
    result: Array = spots * np.where(farthest < 0, -1, 1)
    return result


def _spread(spots: Array) -> Array:
    return spots * (SPREAD / (np.sqrt((spots**2).sum(1).mean()) or 1))


def _affinities(distances: Array, perplexity: float) -> Array:
    """How likely each point picks each other as its neighbour, both ways together; the sum of all is 1.

    Each looks as far as makes the number of its neighbours the `perplexity`, found by bisection.
    """
    np.fill_diagonal(distances, np.inf)
    low, high = np.full(len(distances), -10.0), np.full(len(distances), 20.0)
    for _ in range(50):
        middle = (low + high) / 2
        nearest = distances.min(1, keepdims=True)
        likely = np.exp(-(distances - nearest) * np.exp(middle)[:, None])
        likely /= likely.sum(1, keepdims=True)
        entropy = -(likely * np.log(np.maximum(likely, 1e-12))).sum(1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    mutual: Array = (likely + likely.T) / (2 * len(distances))
    return mutual
