"""What the current server does with a line, as a filter: `python -m benchmarks.reference < log > points`.

One line at a time: its JSON; where somebody chats langid on the last message and the answer, all-MiniLM-L6-v2
on the whole conversation, the topic that is nearest by cosine; then `influxdb_client.Point`. It needs the
environment of `make topic-model`. An empty line is answered with an empty line: so whoever feeds it knows how
far it is.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import influxdb_client
import langid  # type: ignore[import-not-found]
import numpy as np
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

from benchmarks.conversation import Conversation, conversation, decoded
from benchmarks.processes import ROOT
from dial_enricher.training.teacher import packaged

CLIENT: Any = influxdb_client  # it tells no types
TOPICS = ROOT / "topic_model" / "topics.json"


class Reference:
    """The models, loaded once."""

    def __init__(self) -> None:
        logging.disable_progress_bar()
        self._model: Any = SentenceTransformer(packaged(), device="cpu")
        described = json.loads(TOPICS.read_text("utf-8"))["topic_representations"]
        words = [", ".join(word for word, _ in weighted) for weighted in described.values()]
        self._topics = list(described)
        self._centres = self._model.encode(words, normalize_embeddings=True, show_progress_bar=False)
        self.language("loads the model of langid")

    def language(self, text: str) -> str:
        """The language of a text."""
        return str(langid.classify(_well_formed(text))[0])

    def topic(self, text: str) -> str:
        """The topic of a text: its words are not those that ours would tell, its work is."""
        vector: Any = self._model.encode(_well_formed(text), show_progress_bar=False)
        cosines = self._centres @ vector / np.linalg.norm(vector)
        return str(self._topics[int(cosines.argmax())])

    def point(self, line: bytes) -> str:
        """The point of a line; nothing when the line cannot be read."""
        if talk := conversation(line):
            point = self._talk(talk)
        else:
            try:
                point = _point("other", decoded(line))
            except (LookupError, TypeError, json.JSONDecodeError):
                return ""
        return str(point.to_line_protocol())

    def _talk(self, talk: Conversation) -> Any:
        point = _point(talk.kind, talk.log)
        point.tag("model", talk.request.get("model"))
        point.tag("response_id", talk.response.get("id"))
        language = topic = "undefined"
        # Without the id of a chat it looks at no text, and neither do we.
        if talk.whole.strip() and (talk.log["chat"] or {}).get("id"):
            asked = talk.asked if talk.kind == "embeddings" else talk.asked[-1:]
            language = self.language("\n\n".join([*asked, talk.answer]))
            topic = self.topic(talk.whole)
        return point.tag("language", language).tag("topic", topic)


def _well_formed(text: str) -> str:
    """The text without lone surrogates, which neither model takes."""
    return text.encode("utf-8", "replace").decode()


def _point(measurement: str, log: dict[str, Any]) -> Any:
    """The columns that a record has by itself."""
    point = CLIENT.Point(measurement)
    usage, trace = log.get("token_usage") or {}, log.get("trace") or {}
    point.tag("deployment", log.get("deployment") or "undefined")
    point.tag("parent_deployment", log.get("parent_deployment") or "undefined")
    point.tag("execution_path", "/".join(log.get("execution_path") or ()) or "undefined")
    for name in ("trace_id", "core_span_id", "core_parent_span_id"):
        point.tag(name, trace.get(name) or "undefined")
    point.tag("project_id", (log.get("project") or {}).get("id") or "undefined")
    point.tag("title", log["user"].get("title") or "undefined")
    point.tag("upstream", log["response"].get("upstream_uri") or "undefined")
    point.field("user_hash", log["user"].get("id") or "undefined")
    point.field("chat_id", (log.get("chat") or {}).get("id") or "undefined")
    for name in ("prompt_tokens", "completion_tokens"):
        point.field(name, int(float(usage.get(name) or 0)))
    for name in ("price", "deployment_price"):
        point.field(name, float(usage.get(name) or 0))
    time = datetime.fromisoformat(log["request"]["time"]).replace(tzinfo=UTC)
    return point.time(time, CLIENT.WritePrecision.NS)


def main() -> None:
    """Be a filter; the first output, an empty line, says that the models are loaded."""
    reference = Reference()
    print(flush=True)
    for line in sys.stdin.buffer:
        if not line.strip():
            print(flush=True)
        elif point := reference.point(line):
            print(point, flush=True)


if __name__ == "__main__":
    main()
