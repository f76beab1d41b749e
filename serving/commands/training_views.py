"""How evaluations, splits and verdicts look on the command line: as tables for people and as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from features.leakage import Finding
    from training.compare import Comparison, JudgedModel
    from training.evaluation import Evaluation, Interval
    from training.gates import Verdict
    from training.run_facts import PartCounts
    from training.train import CandidateResult

SHOWN = (
    ("log_loss", "log loss"),
    ("log_loss_prior", "log loss, base rate alone"),
    ("skill", "skill"),
    ("brier", "Brier score"),
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("ece", "calibration error (ECE)"),
    ("expected_to_real_wins", "expected / real wins"),
    ("win_rate", "win rate"),
)


def print_tables(*tables: "Table | str") -> None:
    """Print tables and lines for people on standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for table in tables:
        console.print(table, soft_wrap=isinstance(table, str))


def parts_table(parts: "Sequence[PartCounts]") -> "Table":
    """Return one row per part of the split."""
    table = plain_table("part", "leads", "snapshots", "outcome known", "won", "labels as known at")
    for part in parts:
        counts = (part.leads, part.snapshots, part.known, part.won)
        table.add_row(part.name, *(f"{count:,}" for count in counts), part.known_until or "the export")
    return table


def leakage_line(findings: "Sequence[Finding]") -> str:
    """Return how many findings of each kind the leakage guard has, and where to read them."""
    allowed = sum(finding.allowed is not None for finding in findings)
    counts = [
        (sum(finding.severity == severity and finding.allowed is None for finding in findings), severity)
        for severity in ("warning", "note")
    ]
    said = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    return f"leakage guard: {said}, {allowed} allowed (leadpact features check shows them)"


def candidates_table(candidates: "Sequence[CandidateResult]") -> "Table":
    """Return one row per candidate, the chosen one marked."""
    table = plain_table("candidate", "validation log loss", "trees", "chosen")
    for each in candidates:
        table.add_row(
            each.name, f"{each.validation_log_loss:.4f}", str(each.trees), "yes" if each.chosen else ""
        )
    return table


def evaluation_table(**evaluations: "Evaluation") -> "Table":
    """Return one row per metric and a column per model: the value and its 95 % interval."""
    table = plain_table("on the newest leads", *evaluations)
    for name, label in SHOWN:
        values = [evaluation.metric(name) for evaluation in evaluations.values()]
        if any(value is not None for value in values):
            table.add_row(label, *map(_interval_text, values))
    return table


def evaluation_json(evaluation: "Evaluation") -> dict[str, Any]:
    """Return an evaluation as JSON values."""
    return {
        "snapshots": evaluation.snapshots,
        "leads": evaluation.leads,
        "won_snapshots": evaluation.won_snapshots,
        "metrics": {name: asdict(interval) for name, interval in evaluation.metrics},
        "not_applicable": list(evaluation.not_applicable),
        "brier_parts": asdict(evaluation.brier_parts),
        "months": [asdict(row) for row in evaluation.months],
        "tenths": [asdict(row) for row in evaluation.tenths],
    }


def comparison_json(comparison: "Comparison") -> dict[str, Any]:
    """Return champion, challenger and their difference as JSON values; null for what there is not."""
    difference = comparison.difference
    return {
        "challenger": _model_json(comparison.challenger),
        "champion": _model_json(comparison.champion),
        "log_loss_difference": None if difference is None else asdict(difference),
    }


def comparison_table(comparison: "Comparison") -> "Table":
    """Return the metrics of champion and challenger side by side."""
    models = (("champion", comparison.champion), ("challenger", comparison.challenger))
    return evaluation_table(
        **{f"{role} {model.version}": model.evaluation for role, model in models if model is not None}
    )


def verdict_lines(verdict: "Verdict") -> str:
    """Return one line per gate: whether it passes, its code, and why."""
    return "\n".join(
        f"{'pass  ' if reason.passed else 'refuse'}  {reason.code}: {reason.text}"
        for reason in verdict.reasons
    )


def verdict_json(verdict: "Verdict") -> dict[str, Any]:
    """Return a verdict as JSON values."""
    return {"passed": verdict.passed, "reasons": [asdict(reason) for reason in verdict.reasons]}


def _model_json(model: "JudgedModel | None") -> dict[str, Any] | None:
    if model is None:
        return None
    return {"version": model.version, **evaluation_json(model.evaluation)}


def _interval_text(interval: "Interval | None") -> str:
    if interval is None:
        return "not applicable"
    return f"{interval.value:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def plain_table(*columns: str) -> "Table":
    """Return an empty table with these columns: the first to the left, numbers to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table
