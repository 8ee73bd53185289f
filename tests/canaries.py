"""Log records with a unique word in every place that holds somebody's text."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support import Json, changed, line, log

WORD = "KANARIENVOGEL"


class Canaries:
    """Words that must not get out, numbered by the place where they are planted."""

    def __init__(self) -> None:
        self.planted = 0

    def __call__(self) -> str:
        self.planted += 1
        return f"{WORD}{self.planted:04d} sings a song of six pence"

    def chat(self) -> tuple[Json, Json]:
        """The bodies of a chat: a request and its answer."""
        call = {
            "id": "c",
            "type": "function",
            "function": {"name": self(), "arguments": json.dumps({self(): self()})},
        }
        tool = {
            "name": self(),
            "description": self(),
            "parameters": {"properties": {self(): {"enum": [self()]}}},
        }
        messages = [
            {"role": "system", "content": self(), "name": self()},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": self()},
                    {"type": "image_url", "image_url": {"url": self()}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": self()},
            {"role": "tool", "tool_call_id": self(), "content": self()},
            {
                "role": self(),
                "content": self(),
                "custom_content": {"attachments": [{"title": self(), "url": self()}]},
            },
            {"role": "user", "content": self()},
        ]
        message = {"role": "assistant", "content": self(), "reasoning_content": self(), "tool_calls": [call]}
        request = {
            "model": "gpt",
            "messages": messages,
            "tools": [tool],
            "user": self(),
            "stop": [self()],
            self(): 1,
        }
        return request, {
            "id": "answer-1",
            "choices": [
                {"index": 0, "message": message, "finish_reason": self()},
                {"index": 1, "message": {"content": self()}},
            ],
            "system_fingerprint": self(),
            "statistics": {"usage_per_model": [{"index": 0, "name": self()}], self(): self()},
            self(): self(),
        }

    def embeddings(self) -> tuple[Json, Json]:
        return {"input": [self(), self()], "user": self()}, {"data": [{"embedding": self()}], self(): self()}

    def responses(self) -> tuple[Json, Json]:
        items = [
            {"role": "user", "content": self()},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": self()},
                    {"type": "input_file", "file_data": self()},
                ],
            },
            {"type": "function_call", "name": self(), "arguments": self()},
            {"type": "function_call_output", "output": self()},
        ]
        output = [
            {"type": "reasoning", "summary": [{"text": self()}]},
            {
                "type": "message",
                "content": [{"type": "output_text", "text": self()}, {"type": "refusal", "refusal": self()}],
            },
        ]
        request = {"model": "gpt", "input": items, "instructions": self(), "metadata": {self(): self()}}
        return request, {"id": "resp-1", "output": output, "instructions": self(), "user": self()}

    def anthropic(self) -> tuple[Json, Json]:
        result = {"type": "tool_result", "tool_use_id": self(), "content": [{"type": "text", "text": self()}]}
        messages = [
            {"role": "user", "content": self()},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "name": self(), "input": {self(): self()}}],
            },
            {"role": "user", "content": [result, {"type": "document", "source": {"data": self()}}]},
        ]
        request = {"model": "gpt", "system": [{"type": "text", "text": self()}], "messages": messages}
        content = [
            {"type": "thinking", "thinking": self(), "signature": self()},
            {"type": "text", "text": self()},
        ]
        return request, {"id": "msg-1", "content": content, "stop_sequence": self()}

    def mcp(self) -> tuple[Any, Json]:
        call = {
            "id": self(),
            "method": "tools/call",
            "params": {"name": "stock", "arguments": {self(): self()}},
        }
        other = {"id": 2, "method": "prompts/get", "params": {"name": self(), "uri": self()}}
        return [call, other], {"result": {"content": [{"type": "text", "text": self()}]}, "id": self()}

    def route(self) -> tuple[Json, Json]:
        return {self(): self()}, {self(): [self()]}

    def rating(self) -> tuple[Json, Json]:
        return {"responseId": "answer-1", "rate": self(), "comment": self()}, {"message": self()}

    def bodies(self) -> Iterator[tuple[str, Any, Json]]:
        """For each endpoint a URI, a request and an answer."""
        query = f"?q={self()}".replace(" ", "%20")
        yield "/openai/deployments/gpt/chat/completions" + query, *self.chat()
        yield "/openai/deployments/gpt/embeddings" + query, *self.embeddings()
        yield "/openai/v1/responses" + query, *self.responses()
        yield "/anthropic/v1/messages" + query, *self.anthropic()
        yield "/v1/toolset/gpt/mcp" + query, *self.mcp()
        yield "/v1/deployments/gpt/route/a/b" + query, *self.route()
        yield "/v1/gpt/rate" + query, *self.rating()

    def records(self) -> Iterator[Json]:
        """Good records, streamed ones and failed ones, of each endpoint."""
        for uri, request, answer in self.bodies():
            record = log(uri, request, answer) | {self(): self()}
            record["claims"] = {
                "user_display_name": self(),
                "user_email": self(),
                "roles": [self()],
                self(): self(),
            }
            record["headers"] = {"authorization": self(), "cookie": self(), self(): self()}
            record["user"] |= {"name": self()}
            yield record
            yield changed(record, "assembled_response", json.dumps(answer))
            yield changed(record, "response.body", self.stream(answer))
            error = {"error": {"message": self(), "type": "rate_limit", "param": self()}, "detail": self()}
            yield changed(changed(record, "response.status", "429"), "response.body", json.dumps(error))
            yield changed(
                changed(record, "response.status", "502"), "response.body", f"<html>{self()}</html>"
            )

    def stream(self, answer: Json) -> str:
        delta = json.dumps({"type": "text_delta", "text": self(), "content": self()})
        whole = json.dumps(answer)
        chunks = (
            whole,
            f'{{"choices":[{{"index":0,"delta":{delta}}}]}}',
            f'{{"type":"content_block_delta","index":0,"delta":{delta}}}',
            f'{{"type":"response.completed","response":{whole}}}',
            f'{{"type":"response.output_text.delta","delta":"{self()}"}}',
            f'{{"broken": "{self()}',
        )
        events = [f": {self()}\nevent: {self()}\nid: {self()}\ndata: {chunk}\n\n" for chunk in chunks]
        return "".join(events)

    def wrong_types(self) -> Iterator[Json]:
        """A text, or something that holds one, where something else is expected."""
        request, answer = self.chat()
        record = log(body=request, answer=answer)
        for path in (
            *(
                "request",
                "request.uri",
                "request.time",
                "request.body",
                "response",
                "response.body",
                "chat",
                "user",
            ),
            *(
                "project",
                "trace",
                "token_usage",
                "token_usage.prompt_tokens",
                "token_usage.price",
                "execution_path",
            ),
            *("operation_duration_ms", "assembled_response"),
        ):
            yield changed(record, path, self())
        for path in (
            *(
                "request.uri",
                "request.time",
                "request.method",
                "response.status",
                "response.upstream_uri",
                "chat.id",
            ),
            *("user.id", "user.title", "project.id", "deployment", "parent_deployment", "trace.trace_id"),
            *("token_usage.prompt_tokens", "token_usage.deployment_price", "operation_duration_ms"),
        ):
            yield changed(record, path, {self(): self()})
            yield changed(record, path, [self()])
        for path in ("/v1/files/{}/report.pdf", "/{}", "/v1/models#{}", "/openai/v1/responses/{}"):
            yield changed(record, "request.uri", path.format(self().replace(" ", "_")))
        deep = {self(): [self()]}
        yield log(
            body=request | {"model": deep}, answer=answer | {"id": deep, "usage": {"prompt_tokens": self()}}
        )
        yield changed(log(answer={"error": {"type": deep, "code": [self()]}}), "response.status", "500")
        yield log("/v1/toolset/gpt/mcp", {"method": deep, "params": {"name": self()}})
        yield log("/v1/toolset/gpt/mcp", {"method": "tools/call", "params": {"name": deep}})

    def good_lines(self) -> Iterator[bytes]:
        """Lines of which most become points."""
        for record in [*self.records(), *self.wrong_types()]:
            yield line(record)
            for key in ("message", "log", "exec"):
                yield line({key: json.dumps(record), "host": self(), self(): self()})
            yield line([{"message": json.dumps(record), "file": self()}, record])

    def dead_lines(self) -> Iterator[bytes]:
        """Lines of which none can be used, and each of which holds a word."""
        yield from (
            line(self()),
            line([self()]),
            line({self(): self()}),
            line({"message": self()}),
            line({"log": {"a": self()}}),
        )
        yield self().encode() + b"\n"
        yield line({"request": {"body": self()}})
        yield line(changed(log(body=self()), "request.time", self()))
        for record in self.records():
            whole = line(record)[:-1]
            for place in (0.3, 0.6, 0.95):
                yield whole[: int(len(whole) * place)] + b">>\n"
            yield whole.replace(b" sings", b" s\xffngs") + b"\n"
            yield whole.replace(b'"request":', b'"quest":') + b"\n"
            yield whole + b"," + self().encode() + b"\n"
            yield line({"message": whole[:-9].decode(), "host": self()})
