"""Streamed answers, put together as DIAL Core would have done it."""

from collections import Counter
from typing import Any

import pytest

from dial_enricher.streams import chunks, merge_anthropic, merge_chat, merge_error, merge_responses


def _delta(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "a-1", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def _call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": more.pop("name")} if "name" in more else {})
    return {"index": index, "function": function, **more}


def test_contents_are_joined_in_order_by_choice() -> None:
    stream = [_delta(1, content="x"), _delta(0, content="a"), _delta(0, content="b"), _delta(1, content="y")]
    merged = merge_chat([*stream, _delta(0, finish="stop")])
    assert merged is not None
    assert [choice["message"]["content"] for choice in merged["choices"]] == ["ab", "xy"]
    assert [choice["finish_reason"] for choice in merged["choices"]] == ["stop", None]


def test_tool_calls_are_merged_by_index() -> None:
    merged = merge_chat(
        [
            _delta(tool_calls=[_call(0, "", id="c-0", type="function", name="add")]),
            _delta(tool_calls=[_call(1, "{", id="c-1", type="function", name="sub")]),
            _delta(tool_calls=[_call(0, '{"a":'), _call(1, "}")]),
            _delta(tool_calls=[_call(0, "1}")]),
        ]
    )
    assert merged is not None
    assert merged["choices"][0]["message"]["tool_calls"] == [
        {"index": 0, "id": "c-0", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
        {"index": 1, "id": "c-1", "type": "function", "function": {"name": "sub", "arguments": "{}"}},
    ]


def test_the_last_usage_and_statistics_win_and_the_first_id() -> None:
    told = [{"id": "a-2", "usage": {"n": n}, "statistics": {"n": n}} for n in (1, 2)]
    merged = merge_chat([{"id": "a-1"}, *told, {"usage": None}])
    assert merged == {"id": "a-1", "usage": {"n": 2}, "statistics": {"n": 2}}


def test_many_tool_calls_are_merged_in_linear_time() -> None:
    merged = merge_chat(_delta(tool_calls=[_call(index, "x")]) for index in range(100_000))
    assert merged is not None
    assert len(merged["choices"][0]["message"]["tool_calls"]) == 100_000


@pytest.mark.parametrize("ending", ["completed", "incomplete", "failed"])
def test_the_event_that_holds_the_whole_response_is_the_answer(ending: str) -> None:
    whole = {"id": "r-1", "output": [{"type": "message"}], "usage": {"input_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "r-1", "output": []}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "a"},
        {"type": f"response.{ending}", "response": whole},
    ]
    assert merge_responses(events) == whole


def test_a_response_that_was_broken_off_is_put_together_from_its_parts() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "first"}]}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "r-1", "output": []}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "sec"},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "ond"},
    ]
    merged = merge_responses(events)
    assert merged is not None
    assert merged["id"] == "r-1"
    assert [item["content"][0]["text"] for item in merged["output"]] == ["first", "second"]


def test_a_message_of_anthropic_is_put_together_block_by_block() -> None:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m-1", "usage": {"input_tokens": 5, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "c"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "d"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    ]
    merged = merge_anthropic(events)
    assert merged is not None
    assert [block["text"] for block in merged["content"]] == ["ab", "cd"]
    assert merged["usage"] == {"input_tokens": 5, "output_tokens": 9}


def test_the_error_of_a_stream_is_its_first_one() -> None:
    assert merge_error([{"id": "a"}, {"error": {"type": "x"}}, {"error": {"type": "y"}}]) == {
        "error": {"type": "x"}
    }
    assert merge_error([{"id": "a"}]) is None


@pytest.mark.parametrize("merge", [merge_chat, merge_responses, merge_anthropic, merge_error])
def test_nothing_gives_nothing(merge: Any) -> None:
    assert merge([]) is None


def test_a_broken_chunk_is_skipped_and_counted() -> None:
    notes: Counter[str] = Counter()
    stream = 'data: {"a":1}\n\ndata: {"b":\n\ndata: 5\n\ndata: {"c":3}\n\ndata: [DONE]\n\n'
    assert list(chunks(stream, notes)) == [{"a": 1}, {"c": 3}]
    assert notes["broken_chunk"] == 2


@pytest.mark.parametrize(
    "stream",
    [
        'data: {"a":1}\n\ndata: {"b":2}\n\n',
        'data:{"a":1}\n\ndata:{"b":2}',
        'data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n',
        'data: {"a":1}\r\rdata: {"b":2}\r\r',
        'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n',
        ': comment\nevent: x\nid: 1\ndata: {"a":1}\n\n\n\nretry: 5\ndata: {"b":\ndata: 2}\n\n',
    ],
)
def test_however_the_events_are_separated(stream: str) -> None:
    notes: Counter[str] = Counter()
    assert list(chunks(stream, notes)) == [{"a": 1}, {"b": 2}]
    assert not notes
