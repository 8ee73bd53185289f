"""The map of the topics: where they lie, and that the page does what it should in a real browser."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dial_enricher.topics import layout, native
from dial_enricher.topics.map import data, draw
from dial_enricher.topics.model import OUTLIER, Match, Topic
from tests import tiny_model
from tests.browser import Page, browser
from tests.support import Json

HOSTILE = "</script><img src=x onerror=\"window.caught='img'\"><svg onload=window.caught='svg'>"
HOSTILE_TEXTS = (
    HOSTILE,
    "{{script}} {{data}}",
    "<!--<script>",
    "&lt;b&gt;&amp;",
    "\u2028'\"`${1}",
    "\ud800x",
)


class Drawn:
    """A model that can be drawn, and nothing else."""

    min_similarity = -1.0

    def __init__(self, topics: Sequence[Topic], directions: NDArray[np.float32]) -> None:
        self.topics = topics
        self.directions = directions

    def labels(self, texts: Sequence[str]) -> list[str | None]:
        raise NotImplementedError

    def matches(self, texts: Sequence[str], count: int) -> list[list[Match]]:
        raise NotImplementedError


def directions(count: int, kinds: int = 5) -> NDArray[np.float32]:
    """As many directions, of a few kinds that take turns."""
    random = np.random.default_rng(5)
    rows = np.eye(16)[np.arange(count) % kinds] + random.normal(0, 0.08, (count, 16))
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def model(count: int, name: str = "Topic number {}") -> Drawn:
    topics = [
        Topic(number, name.format(number), (f"word{number}", "shared"), 900 // (number + 1), ("a_group",))
        for number in range(count)
    ]
    return Drawn(topics, directions(count))


# Where they lie


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 12, 100])
def test_circles_do_not_overlap_and_everything_is_finite(count: int) -> None:
    drawn = data(model(count))["topics"]
    assert len(drawn) == count
    spots = np.array([[one["x"], one["y"]] for one in drawn])
    assert np.isfinite(spots).all()
    for row, one in enumerate(drawn):
        for other in drawn[row + 1 :]:
            apart = np.hypot(one["x"] - other["x"], one["y"] - other["y"])
            assert apart > one["r"] + other["r"]


@pytest.mark.parametrize("count", [2, 3, 6])
def test_equal_topics_lie_side_by_side(count: int) -> None:
    same = Drawn(model(count).topics, np.repeat(directions(1), count, axis=0))
    spots = [(one["x"], one["y"]) for one in data(same)["topics"]]
    assert len(set(spots)) == count


def test_neighbours_stay_neighbours() -> None:
    spots = layout.places(directions(60))
    apart = np.hypot(*(spots[:, None] - spots[None]).T)
    np.fill_diagonal(apart, np.inf)
    kinds = np.arange(60) % 5
    assert (kinds[apart.argmin(1)] == kinds).all()


def test_the_same_topics_give_the_same_map() -> None:
    assert draw(model(40)) == draw(model(40))


def test_the_map_is_wider_than_it_is_high() -> None:
    wide, high = layout.places(directions(60)).std(0)
    assert wide >= high


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_areas_stand_for_sizes(sizes: list[int]) -> None:
    radii = layout.radii(np.array(sizes, float))
    assert (radii > 0).all()
    biggest = max(sizes)
    for size, radius in zip(sizes, radii, strict=True):
        if size > 0.05 * biggest:
            assert (radius / radii.max()) ** 2 == pytest.approx(size / biggest)


def test_regions_are_numbered_by_their_places() -> None:
    spots = np.array([[0, 0], [0, 1], [9, 9], [9, 8], [9, 7], [50, 0]], float)
    assert layout.regions(spots, 3).tolist() == [1, 1, 0, 0, 0, 2]
    assert layout.regions(spots, 1).tolist() == [0] * 6
    assert set(layout.regions(np.zeros((4, 2)), 3).tolist()) == {0}


def test_the_page_knows_all_but_the_outliers(tmp_path: Path) -> None:
    tiny = native.load(tiny_model.write(tmp_path))
    shown = data(tiny)
    assert [one["label"] for one in shown["topics"]] == list(tiny_model.LABELS.values())[1:]
    assert shown["outliers"] == 101
    for place, one in enumerate(shown["topics"]):
        others = [(number, similarity) for number, similarity in one["near"]]
        assert place not in [number for number, _ in others]
        assert [similarity for _, similarity in others] == sorted(
            (similarity for _, similarity in others), reverse=True
        )
        own, other = tiny.directions[[one["id"] + 1, shown["topics"][others[0][0]]["id"] + 1]]
        assert others[0][1] == pytest.approx(float(own @ other), abs=1e-3)


# The page as a file


def hostile() -> Drawn:
    topics = [
        Topic(number, text, (text, "word"), 10 - number, (text,)) for number, text in enumerate(HOSTILE_TEXTS)
    ]
    return Drawn([Topic(OUTLIER, HOSTILE, (HOSTILE,), 3), *topics], directions(len(topics) + 1))


def embedded(page: str) -> Any:
    (document,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(document)


def test_a_hostile_label_is_but_a_text() -> None:
    page = draw(hostile())
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    assert [one["label"] for one in embedded(page)["topics"]] == list(HOSTILE_TEXTS)


def test_the_page_names_no_place_to_load_from() -> None:
    page = draw(model(3))
    assert "{{" not in page
    assert re.findall(r"""\b(?:src|href)\s*=|url\(|@import|https?:|//\w+\.""", page) == []


# The page in a browser


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as opened:
        yield opened


SIZES = pytest.mark.parametrize(("wide", "high"), [(1280, 800), (420, 800), (320, 480)])
SHOWN = "[...document.querySelectorAll('#labels text:not(.off)')]"
LABELS = f"{SHOWN}.map(text => [...text.children].map(line => line.textContent).join(' '))"
BOXES = f"{SHOWN}.map(text => text.getBoundingClientRect().toJSON())"
CARD = "document.getElementById('card')"
CIRCLES = "[...document.querySelectorAll('#circles circle')].map(one => one.getBoundingClientRect().toJSON())"


def opened(
    page: Page, file: Path, drawn: Drawn, wide: int = 1280, high: int = 800, dark: bool = False
) -> Page:
    file.write_text(draw(drawn), "utf-8")
    page.complaints.clear()
    page.requests.clear()
    page.look(wide, high, dark=dark)
    page.open(file)
    page.wait(f"{CIRCLES}.some(box => box.width > 4)")
    return page


def check_quiet(page: Page, file: Path) -> None:
    """Nothing was asked for but the file itself, and nobody complained."""
    assert page.requests == [file.as_uri()]
    assert page.complaints == []


def middle(box: Json) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("dark", [False, True])
@SIZES
def test_labels_are_drawn_and_do_not_overlap(
    page: Page, tmp_path: Path, wide: int, high: int, dark: bool
) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(60), wide, high, dark)
    labels, boxes = page.value(LABELS), page.value(BOXES)
    assert "Topic number 0" in labels
    assert len(labels) >= (20 if wide > 1000 else 8 if high > 500 else 2)
    for row, one in enumerate(boxes):
        assert one["left"] >= 0
        assert one["right"] <= wide
        for other in boxes[row + 1 :]:
            assert (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"] + 1
                or other["bottom"] <= one["top"] + 1
            )
    assert page.value("document.documentElement.scrollWidth") == wide
    background = page.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == dark
    check_quiet(page, file)


def test_a_circle_tells_of_its_topic(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(20))
    x, y = middle(page.value(CIRCLES)[0])
    assert page.value(f"{CARD}.hidden")
    page.mouse("mouseMoved", x, y)
    told = page.value(f"{CARD}.innerText")
    assert all(text in told for text in ("Topic number 0", "word0", "900 texts", "a group", "Nearest topics"))
    page.mouse("mouseMoved", 300, 790)
    assert page.value(f"{CARD}.hidden")
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseReleased", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", 300, 790)
    assert not page.value(f"{CARD}.hidden")
    page.value(f"{CARD}.querySelector('.near').click()")
    assert page.value(f"{CARD}.querySelector('h2').textContent") != "Topic number 0"
    check_quiet(page, file)


def test_the_map_is_dragged_and_zoomed(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(60))
    labels, (x, y) = len(page.value(LABELS)), middle(page.value(CIRCLES)[0])
    page.mouse("mousePressed", 700, 790, button="left", clickCount=1)
    page.mouse("mouseMoved", 720, 770, button="left")
    page.mouse("mouseMoved", 750, 750, button="left")
    page.mouse("mouseReleased", 750, 750, button="left", clickCount=1)
    assert middle(page.value(CIRCLES)[0]) == pytest.approx((x + 50, y - 40), abs=1)
    small = page.value(CIRCLES)[0]["width"]
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-700)
    page.wait(f"{CIRCLES}[0].width > {small} * 1.5")
    assert len(page.value(LABELS)) > labels
    page.value("document.querySelector('[data-zoom=\"0\"]').click()")
    page.wait(f"Math.abs({CIRCLES}[0].width - {small}) < 0.5")
    assert middle(page.value(CIRCLES)[0]) == pytest.approx((x, y), abs=1)
    check_quiet(page, file)


def test_the_search_finds_labels_and_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(20))
    listed = "[...document.querySelectorAll('#list .name')].map(one => one.textContent)"
    assert len(page.value(listed)) == 20
    page.press("/")
    for key in "word17":
        page.press(key)
    assert page.value(listed) == ["Topic number 17"]
    assert page.value("document.querySelectorAll('#circles :not(.dim)').length") == 1
    page.press("Enter")
    assert page.value(f"{CARD}.querySelector('h2').textContent") == "Topic number 17"
    page.press("Escape")
    assert page.value(f"{CARD}.hidden")
    page.press("/")
    for key in "NUMBER 7":
        page.press(key)
    assert page.value(listed) == ["Topic number 7"]
    assert "Topic number 7" in page.value(LABELS)
    page.press("Escape")
    assert len(page.value(listed)) == 20
    page.press("/")
    for key in "zebra":
        page.press(key)
    assert page.value(listed) == []
    assert "No topic" in page.value("document.getElementById('list').innerText")
    check_quiet(page, file)


def test_the_keyboard_leads_from_topic_to_topic(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(9))
    page.value("document.getElementById('map').focus()")
    seen: set[str] = set()
    for key in ["ArrowRight", *["ArrowLeft"] * 6, *(["ArrowRight", "ArrowUp"] * 6), *(["ArrowDown"] * 6)]:
        page.press(key)
        seen.add(page.value(f"{CARD}.querySelector('h2').textContent"))
    assert len(seen) > 4
    small = page.value(CIRCLES)[0]["width"]
    page.press("+")
    page.wait(f"{CIRCLES}[0].width > {small}")
    page.press("0")
    page.wait(f"Math.abs({CIRCLES}[0].width - {small}) < 0.5")
    page.value("document.querySelector('#list button').focus()")
    page.press("ArrowDown")
    page.press("Enter")
    assert page.value(f"{CARD}.querySelector('h2').textContent") == "Topic number 1"
    check_quiet(page, file)


def test_a_hostile_label_does_not_run(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, hostile())
    for number, text in enumerate(HOSTILE_TEXTS):
        page.value(f"document.querySelectorAll('#list button')[{number}].click()")
        title = page.value(f"{CARD}.querySelector('h2').textContent")
        assert title == text or "\ud800" in text
    assert page.value("document.querySelectorAll('img, svg svg, script').length") == 2
    assert page.value("typeof window.caught") == "undefined"
    check_quiet(page, file)


def test_not_even_a_script_in_the_page_could_load_or_run(page: Page, tmp_path: Path) -> None:
    """The policy of the page is a second wall; here the first one is taken away."""
    file = tmp_path / "topics.html"
    file.write_text(draw(model(3)).replace("<main>", f"<main>{HOSTILE}<script>window.caught=1</script>"))
    page.complaints.clear()
    page.look(1280, 800)
    page.open(file)
    assert page.value("typeof window.caught") == "undefined"
    assert any("Content Security Policy" in one for one in page.complaints)


@pytest.mark.parametrize("count", [1, 2, 300])
def test_few_and_many_topics_fill_the_window(page: Page, tmp_path: Path, count: int) -> None:
    file = tmp_path / "topics.html"
    opened(page, file, model(count))
    for box in page.value(CIRCLES):
        assert box["left"] >= 290
        assert box["right"] <= 1280
        assert box["top"] >= 0
        assert box["bottom"] <= 800
    assert page.value(LABELS)
    check_quiet(page, file)
