"""The command that makes a topic model: `dial-enricher topics train`."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dial_enricher.errors import SettingError
from dial_enricher.options import WrongSetting

_NEEDED = ("bertopic", "umap", "hdbscan", "sentence_transformers")
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("corpus", nargs=-1, type=_File)
@click.option(
    "--labels",
    multiple=True,
    type=_File,
    help="What people say of texts: NDJSON with a `topic`, one or two keys, and a `text` or its "
    "`text_sha256`. May be given several times.",
)
@click.option("--topics", type=_File, help="Names of the topics: TOML tables with a `label` and `groups`.")
@click.option(
    "--labelled",
    multiple=True,
    type=_File,
    help="Texts with `labels` for the report alone, as for `topics evaluate`. May be given several times.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("topic_model"),
    show_default=True,
    help="The folder to write the model to.",
)
@click.option(
    "--teacher",
    metavar="NAME",
    help="A sentence-transformers model, a folder or a name on Hugging Face.  [default: all-MiniLM-L6-v2]",
)
@click.option(
    "--smallest",
    type=click.IntRange(min=2),
    default=40,
    show_default=True,
    help="The least number of texts in a cluster.",
)
@click.option("--seed", type=int, default=42, show_default=True, help="The same seed makes the same model.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".topic-cache"),
    show_default=True,
    help="Where to keep what the teacher said; it need not be asked again.",
)
def train(
    corpus: Sequence[Path],
    labels: Sequence[Path],
    topics: Path | None,
    labelled: Sequence[Path],
    output: Path,
    teacher: str | None,
    smallest: int,
    seed: int,
    cache: Path,
) -> None:
    """Make a topic model from texts of your own.

    Each CORPUS is NDJSON, gzipped or not, with a `text` in every row. Without --labels the topics are the
    clusters that BERTopic finds, named by their words; with labels they are what the labels name, and further
    clusters where there are enough texts that nobody has labelled.

    About 50,000 texts take an hour on two processors. Needs pip install 'dial-enricher[train]'.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise WrongSetting(f"topics train needs {', '.join(missing)}: pip install 'dial-enricher[train]'")
    from dial_enricher.training.recipe import Recipe, make

    recipe = Recipe(
        corpus=corpus,
        output=output,
        labels=labels,
        topics=topics,
        labelled=labelled,
        teacher=teacher,
        smallest=smallest,
        seed=seed,
    )
    try:
        report = make(recipe, cache, lambda text: click.echo(text, err=True), progress=sys.stderr.isatty())
    except SettingError as error:
        raise WrongSetting(str(error)) from None
    click.echo(report.markdown())
