"""What is told of a model: figures, as JSON and as a Markdown table."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

LONG = 2000
"""Characters of a text whose embedding is timed."""


@dataclass(frozen=True)
class Accuracy:
    """Shares of texts, 0 to 1, that get a topic which a reviewer accepts."""

    topic: float
    """The topic itself."""
    group: float
    """A topic that shares a group with an accepted one."""


@dataclass(frozen=True)
class Report:
    """All figures of one run of the recipe."""

    texts: int
    reviewed: int
    held_out: int
    topics: int
    clusters: int
    outlier_share: float
    """Part of the texts that HDBSCAN left without a cluster."""
    undefined_share: float
    """Part of all texts that the model gives no topic."""
    coherence: float
    """Mean normalised pointwise mutual information of the words of a topic, -1 to 1."""
    min_similarity: float
    student: Accuracy
    """The model as it ships, without the limit on similarity."""
    limited: Accuracy
    """The model as it ships: what is undefined counts as wrong."""
    teacher_head: Accuracy
    """The teacher's vectors with the head that the student learned from."""
    teacher_centroids: Accuracy
    """The teacher's vectors with the mean vector of each topic's texts."""
    agreement: float
    """Part of the texts where student and teacher's head tell the same topic."""
    nothing_told: float | None
    """Part of the texts without a topic that get none; None without such texts."""
    labelled: dict[str, float]
    """Accuracy on each labelled file, by its name."""
    texts_per_second: float
    teacher_texts_per_second: float
    megabytes: float

    def save(self, folder: Path) -> None:
        """Writes `report.json` and `report.md`."""
        (folder / "report.json").write_text(json.dumps(asdict(self), indent=2) + "\n")
        (folder / "report.md").write_text(self.markdown())

    def markdown(self) -> str:
        rows = [
            ("texts, reviewed, held out", f"{self.texts:,}, {self.reviewed:,}, {self.held_out:,}"),
            ("topics, from clusters", f"{self.topics}, {self.clusters}"),
            ("outliers of HDBSCAN", f"{self.outlier_share:.1%}"),
            ("texts without a topic in the end", f"{self.undefined_share:.1%}"),
            ("coherence of topic words (NPMI)", f"{self.coherence:.3f}"),
            ("limit on the similarity", f"{self.min_similarity:.3f}"),
            ("held-out: this model, any similarity", _shown(self.student)),
            ("held-out: this model as it ships", _shown(self.limited)),
            ("held-out: teacher, learned head", _shown(self.teacher_head)),
            ("held-out: teacher, nearest centroid", _shown(self.teacher_centroids)),
            ("this model and teacher tell the same", f"{self.agreement:.1%}"),
            ("texts without matter that get no topic", _percent(self.nothing_told)),
            *((f"accuracy on {name}", f"{share:.1%}") for name, share in self.labelled.items()),
            (f"texts/s of {LONG:,} characters", f"{self.texts_per_second:,.0f}"),
            ("the same, teacher", f"{self.teacher_texts_per_second:,.0f}"),
            ("size of the folder", f"{self.megabytes:.1f} MB"),
        ]
        lines = [f"| {name} | {value} |" for name, value in rows]
        return "\n".join(["# Evaluation", "", "| figure | value |", "|---|---|", *lines, ""])


def _shown(accuracy: Accuracy) -> str:
    return f"{accuracy.topic:.1%} topic, {accuracy.group:.1%} group"


def _percent(share: float | None) -> str:
    return "no such texts" if share is None else f"{share:.1%}"
