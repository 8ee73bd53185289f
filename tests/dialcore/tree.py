"""Call trees: an application that calls models, embeddings, tools and other applications."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.dialcore.answers import anthropic, responses
from tests.dialcore.call import Call, Usage
from tests.dialcore.chat import chat, embeddings
from tests.dialcore.others import failed, mcp
from tests.dialcore.record import Era, Record, Span, record, root_span
from tests.dialcore.world import APPLICATIONS, Caller, World

MODELS: tuple[Callable[[World], Call], ...] = (chat, chat, chat, anthropic, responses)


@dataclass(slots=True)
class Node:
    """A call, and the calls it made."""

    call: Call
    children: list["Node"] = field(default_factory=list)


def grow(world: World, *, depth: int = 1) -> Node:
    """Let an application answer a chat with the help of others; half of them cost nothing themselves."""
    call = chat(world, deployment=world.pick(APPLICATIONS))
    node = Node(replace(call, usage=Usage()) if world.chance(0.5) else call)
    if world.chance(0.7):
        node.children.append(Node(embeddings(world)))
    if world.chance(0.3):
        node.children.append(Node(mcp(world, method="tools/call")))
    if world.chance(0.25):
        node.children.append(Node(failed(world, chat(world))))
    if depth < 3 and world.chance(0.4):
        node.children.append(grow(world, depth=depth + 1))
    for _ in range(world.between((1, 2))):
        node.children.append(Node(world.pick(MODELS)(world)))
    return node


def log_tree(world: World, caller: Caller, node: Node) -> list[Record]:
    """Log a tree. Core writes when an answer is complete, so the callers come after what they called."""
    era = world.pick((Era.OLD, Era.NEW))
    return _log(world, caller, node, era, root_span(world, node.call.deployment))[0]


def _log(world: World, caller: Caller, node: Node, era: Era, span: Span) -> tuple[list[Record], Usage]:
    time = world.wait()
    records: list[Record] = []
    subtree = Usage()
    for child in node.children:
        path = (*span.path, child.call.deployment)
        below = Span(span.trace, world.hex(16), span.id, path)
        logged, usage = _log(world, caller, child, era, below)
        records += logged
        subtree += usage
    own = record(world, caller, node.call, era=era, span=span, time=time, subtree=subtree)
    return [*records, own], node.call.usage + subtree
