"""What can happen: each scene gives one line or several, and says how often it happens."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.dialcore import traps
from tests.dialcore.answers import anthropic, responses
from tests.dialcore.call import ASCII, Call
from tests.dialcore.chat import chat, embeddings
from tests.dialcore.others import METHODS, ROUTES, TOOLSETS, failed, ignored, mcp, rating, route
from tests.dialcore.record import Era, Line, Record, record
from tests.dialcore.traps import plain_line
from tests.dialcore.tree import grow, log_tree
from tests.dialcore.world import ANTHROPIC_MODELS, APPLICATIONS, CHAT_MODELS, World

BACKGROUND_DELAY = 240_000
Maker = Callable[[World], Call]


@dataclass(slots=True, frozen=True)
class Scene:
    """A thing that happens, with its share among the lines of a sample and of production."""

    play: Callable[[World], list[Line]]
    sample: int
    production: int


def _single(make: Maker) -> Callable[[World], list[Line]]:
    return lambda world: [plain_line(record(world, world.caller(), make(world)))]


def _trapped(
    trap: Callable[[World, Record], Record], make: Maker = chat, era: Era | None = None
) -> Callable[[World], list[Line]]:
    """One call whose record is odd; records of `token_usage` traps need a Core that writes it."""
    return lambda world: [plain_line(trap(world, record(world, world.caller(), make(world), era=era)))]


def _early(make: Maker) -> Callable[[World], list[Line]]:
    return lambda world: [plain_line(record(world, world.caller(), make(world), era=Era.EARLY))]


def _application(world: World) -> Call:
    """An application that tells its usage by model only."""
    return chat(world, deployment=world.pick(APPLICATIONS), per_model=True)


def _any_answer(world: World) -> Call:
    return world.pick((chat, chat, embeddings, anthropic, responses))(world)


def _background(world: World) -> list[Line]:
    time = world.wait() - BACKGROUND_DELAY
    return [plain_line(record(world, world.caller(), responses(world, background=True), time=time))]


def _failure(world: World) -> Call:
    return failed(world, world.pick((chat, chat, embeddings, anthropic, responses, mcp))(world))


def _tree(world: World) -> list[Line]:
    return [plain_line(one) for one in log_tree(world, world.caller(), grow(world))]


def _burst(world: World) -> list[Line]:
    """Several requests of one millisecond that differ in nothing that could be a tag but their ids."""
    language, application = world.prose.language(), world.pick(APPLICATIONS)
    claude, model = world.pick(ANTHROPIC_MODELS), world.pick(CHAT_MODELS)
    makers: tuple[Callable[[], Call], ...] = (
        partial(anthropic, world, model=claude, language=language),
        partial(responses, world, model=model, language=language),
        partial(mcp, world, toolset=world.pick(TOOLSETS), method=world.pick(METHODS)),
        partial(route, world, application=application, path=world.pick(ROUTES)),
        partial(rating, world, application=application, response=f"chatcmpl-{world.hex(24)}", rate=True),
        lambda: failed(world, chat(world, model=model), status=429),
    )
    make, caller, time = world.pick(makers), world.caller(), world.wait()
    records = [record(world, caller, make(), era=Era.NEW, time=time) for _ in range(world.between((2, 5)))]
    for one in records:
        one.traps.append("burst")
    return [plain_line(one) for one in records]


def _controls(world: World, era: Era) -> list[Line]:
    one = record(world, world.caller(), chat(world, odd=traps.CONTROLS), era=era)
    if era is Era.OLD:
        one.log["user"]["title"] = f"Clerk{traps.CONTROLS}"
    return [plain_line(traps.raw_controls(one))]


def _cut_line(world: World) -> list[Line]:
    return [traps.cut_line(record(world, world.caller(), chat(world)))]


def _envelope(world: World, key: str) -> list[Line]:
    return [traps.enveloped(key, record(world, world.caller(), _any_answer(world)))]


def _envelopes(world: World) -> list[Line]:
    records = [record(world, world.caller(), _any_answer(world)) for _ in range(world.between((2, 4)))]
    return [traps.enveloped_together(records)]


def _half(world: World) -> Call:
    return chat(world, odd=traps.HALF, encode=ASCII)


SCENES: tuple[Scene, ...] = (
    Scene(_single(chat), 30, 6000),
    Scene(_tree, 14, 400),
    Scene(_burst, 14, 40),
    Scene(_single(embeddings), 10, 600),
    Scene(_single(responses), 8, 500),
    Scene(_background, 4, 60),
    Scene(_single(anthropic), 8, 500),
    Scene(_single(mcp), 8, 400),
    Scene(_single(partial(mcp, method="batch")), 3, 40),
    Scene(_single(route), 6, 200),
    Scene(_single(partial(rating, rate=True)), 4, 150),
    Scene(_single(partial(rating, rate=False)), 2, 50),
    Scene(_single(ignored), 6, 200),
    Scene(_single(_failure), 8, 150),
    Scene(_early(chat), 4, 60),
    Scene(_early(partial(chat, told=False)), 2, 20),
    Scene(_early(_application), 2, 20),
    Scene(_early(embeddings), 2, 20),
    Scene(_early(lambda world: failed(world, chat(world))), 1, 10),
    Scene(_trapped(traps.secured, _any_answer), 5, 100),
    Scene(_trapped(traps.cut_request, era=Era.NEW), 2, 10),
    Scene(_trapped(traps.cut_response, era=Era.NEW), 2, 10),
    Scene(_trapped(traps.cut_both, partial(chat, streamed=True), Era.NEW), 1, 5),
    Scene(_cut_line, 1, 0),
    Scene(partial(_controls, era=Era.OLD), 3, 40),
    Scene(partial(_controls, era=Era.NEW), 2, 20),
    Scene(_trapped(lambda _, one: one, _half), 3, 20),
    Scene(_trapped(partial(traps.numbers_as, str), _any_answer), 2, 10),
    Scene(_trapped(partial(traps.numbers_as, float), _any_answer), 2, 10),
    Scene(_trapped(traps.other_spelling, partial(chat, cache=True)), 2, 20),
    Scene(_trapped(traps.unpriced), 2, 40),
    Scene(_trapped(traps.without_token_usage, _any_answer), 4, 40),
    Scene(_trapped(traps.without_token_usage, _application), 2, 20),
    Scene(_trapped(traps.with_zone), 2, 20),
    Scene(partial(_envelope, key="message"), 1, 10),
    Scene(partial(_envelope, key="log"), 1, 10),
    Scene(partial(_envelope, key="exec"), 1, 5),
    Scene(_envelopes, 1, 5),
)
"""A scene with a production share of 0 happens in samples only."""
