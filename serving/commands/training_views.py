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
    from training.groups import Group
    from training.run_facts import PartCounts
    from training.train import CandidateResult

SHOWN = (
    ("log_loss", "log loss"),
    ("log_loss_prior", "log loss, base rate alone"),
    ("skill", "skill"),
    ("brier", "Brier score"),
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("lift_best_tenth", "lift of the best tenth"),
    ("gain_best_fifth", "gain of the best fifth"),
    ("ece", "calibration error (ECE)"),
    ("calibration_in_the_large", "promised - real win rate"),
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


def left_out_lines(left_out: "Sequence[tuple[str, int]]") -> tuple[str, ...]:
    """Return how many leads nobody may learn from, per reason; no line when there were none."""
    if not left_out:
        return ()
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in left_out)
    return (f"leads that nobody may learn from: {reasons}",)


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


BRIER_PARTS = (
    ("miscalibration", "  of it miscalibration"),
    ("discrimination", "  saved by discrimination"),
    ("uncertainty", "  uncertainty"),
)
TOO_SMALL = {"few_leads": "n/a: few leads", "few_outcomes": "n/a: few outcomes"}


def evaluation_table(**evaluations: "Evaluation") -> "Table":
    """Return one row per metric and a column per model: the value and its 95 % interval."""
    table = plain_table("on the newest leads", *evaluations)
    for name, label in SHOWN:
        table.add_row(label, *(_interval_text(each.metric(name)) for each in evaluations.values()))
        for part, meaning in BRIER_PARTS if name == "brier" else ():
            values = (getattr(each.brier_parts, part) for each in evaluations.values())
            table.add_row(meaning, *(f"{value:.4f}" for value in values))
    return table


def tenths_table(evaluation: "Evaluation") -> "Table":
    """Return lift and gain: one row per tenth of the snapshots, best scores first."""
    table = plain_table("tenth", "snapshots", "promised", "won", "gain", "lift")
    for row in evaluation.tenths:
        shares = (f"{each:.1%}" for each in (row.mean_probability, row.win_rate))
        gain = "n/a" if row.gain is None else f"{row.gain:.1%}"
        lift = "n/a" if row.lift is None else f"{row.lift:.2f}"
        table.add_row(str(row.tenth), f"{row.snapshots:,}", *shares, gain, lift)
    return table


def months_table(evaluation: "Evaluation") -> "Table":
    """Return expected against real wins, one row per month of the snapshots."""
    table = plain_table("month", "snapshots", "expected wins", "real wins", "chance allows")
    for row in evaluation.months:
        table.add_row(row.month, f"{row.snapshots:,}", *_wins(row))
    return table


def slices_table(evaluation: "Evaluation") -> "Table":
    """Return one row per value of each attribute with few values; too small ones say so."""
    table = plain_table("attribute", "value", "leads", "expected", "real wins", "chance allows", "AUC")
    before = ""
    for row in evaluation.slices:
        auc = "n/a" if row.auc is None else f"{row.auc:.3f}"
        expected, real, allowed = _wins(row)
        last = (TOO_SMALL[row.not_applicable], "") if row.not_applicable else (allowed, auc)
        attribute = "" if row.feature == before else row.attribute_en
        table.add_row(attribute, row.level_en, f"{row.leads:,}", expected, real, *last)
        before = row.feature
    return table


def _wins(group: "Group") -> tuple[str, str, str]:
    from training.groups import wins_range

    low, high = wins_range(group)
    return f"{group.expected_wins:,.0f}", f"{group.real_wins:,.0f}", f"{low:,.0f} to {high:,.0f}"


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


def print_comparison(comparison: "Comparison") -> None:
    """Print the figures of both models, and the tables of the challenger, else of the champion."""
    print_tables(comparison_table(comparison))
    if comparison.difference is not None:
        low, high = comparison.difference.low, comparison.difference.high
        print_tables(
            f"challenger minus champion, log loss: {comparison.difference.value:+.4f} "
            f"(95 % interval {low:+.4f} to {high:+.4f}); below 0 the challenger is better"
        )
    model = comparison.challenger or comparison.champion
    if model is None:
        return
    print_tables(f"version {model.version}; a lead counts once for each time it was looked at")
    print_tables(tenths_table(model.evaluation))
    if model.evaluation.months:
        print_tables(months_table(model.evaluation))
    if model.evaluation.slices:
        print_tables(slices_table(model.evaluation))


def verdict_lines(verdict: "Verdict") -> str:
    """Return one line per gate: whether it passes, its code, and why."""
    return "\n".join(f"{reason.answer:<6}  {reason.code}: {reason.text}" for reason in verdict.reasons)


def verdict_json(verdict: "Verdict") -> dict[str, Any]:
    """Return a verdict as JSON values."""
    return {"passed": verdict.passed, "reasons": [asdict(reason) for reason in verdict.reasons]}


def _model_json(model: "JudgedModel | None") -> dict[str, Any] | None:
    if model is None:
        return None
    return {"version": model.version, **model.evaluation.to_dict()}


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
