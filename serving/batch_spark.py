"""Scores leads on Spark: kernel, model and decision are those of `serving.batch`, run on each worker.

Decides what a worker is sent: the files of the model directory, which it verifies as a service does, and the
policy. Nothing of it need lie on a disk that the workers share.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from features.spark.blocks import TableShapes
from features.spark.census import Census, count_leads
from features.spark.leads import map_leads
from features.spark.output import write_rows
from features.spark.tables import SparkTables
from features.tables import TIME_TYPE, CanonicalTables
from features.words.reasons import Language
from serving.batch import plan_batch, score_blocks
from serving.batch_output import answers_schema, answers_table
from serving.champion import ChampionPointer, load_champion
from serving.operations.active_policy import ActivePolicy
from serving.scorer import Scorer

ANY_VALUE = {
    pa.string(): "",
    pa.float64(): 0.0,
    pa.bool_(): False,
    TIME_TYPE: datetime(1970, 1, 1, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedScorer:
    """All that a worker needs to score: the files of the model directory by name, the policy in force."""

    pointer: ChampionPointer
    files: tuple[tuple[str, bytes], ...]
    active: ActivePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkScores:
    """What was done: leads scored, leads that did not exist at as_of, and what the model does not use."""

    scored: int
    left_out: int
    notes: tuple[str, ...]


def write_scores(
    scorer: Scorer, models_dir: Path, tables: SparkTables, out: str, *, as_of: datetime, lang: Language
) -> SparkScores:
    """Write one row per lead with the flat fields of its answer, as a folder of Parquet."""
    census = count_leads(tables, as_of=as_of)
    compute = partial(score_tables, pack(scorer, models_dir), as_of, lang)
    scored = write_rows(map_leads(tables, compute), out)
    notes = notes_of(scorer, tables.shapes, census, as_of=as_of)
    return SparkScores(scored=scored, left_out=census.after_as_of, notes=notes)


def pack(scorer: Scorer, models_dir: Path) -> PackedScorer:
    """Read the directory of the scorer's model again, as bytes."""
    pointer = scorer.champion.pointer
    files = sorted((models_dir / pointer.folder).iterdir())
    return PackedScorer(
        pointer=pointer, files=tuple((file.name, file.read_bytes()) for file in files), active=scorer.active
    )


@lru_cache(maxsize=1)
def unpack(packed: PackedScorer) -> Scorer:
    """Verify and load what was sent, once in each process; `ModelRefusedError` as everywhere."""
    with TemporaryDirectory(prefix="leadpact-") as models:
        folder = Path(models) / packed.pointer.folder
        folder.mkdir()
        for name, content in packed.files:
            (folder / name).write_bytes(content)
        champion = load_champion(Path(models), packed.pointer)
    return Scorer(champion, packed.active)


def score_tables(packed: PackedScorer, as_of: datetime, lang: Language, tables: CanonicalTables) -> pa.Table:
    """Return the answers for the leads of one block that exist at `as_of`."""
    scorer = unpack(packed)
    plan = plan_batch(scorer, tables, as_of=as_of, lang=lang)
    blocks = [answers_table(answers) for answers in score_blocks(scorer, plan)]
    return pa.concat_tables([answers_schema().empty_table(), *blocks])


def notes_of(scorer: Scorer, shapes: TableShapes, census: Census, *, as_of: datetime) -> tuple[str, ...]:
    """Return what `plan_batch` notes of all leads: it asks of a column only whether it has any value."""
    lead = {field.name: ANY_VALUE[field.type] for field in shapes.leads if field.name in census.filled}
    sample = replace(shapes.tables_without_rows(), leads=pa.Table.from_pylist([lead], shapes.leads))
    return plan_batch(scorer, sample, as_of=as_of, lang="en").notes
