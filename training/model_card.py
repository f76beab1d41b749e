"""The model card: what a person should know before trusting a model, from the facts of its training."""

from collections.abc import Iterator

from training.evaluation import Evaluation
from training.groups import SliceRow, is_off, wins_range
from training.recipe import FittedModel, PreparedData

SHOWN_METRICS = (
    ("log_loss", "log loss"),
    ("log_loss_prior", "log loss of the base rate alone"),
    ("skill", "skill (1 - log loss / that of the base rate)"),
    ("brier", "Brier score"),
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("lift_best_tenth", "lift of the best-scored tenth"),
    ("gain_best_fifth", "share of all wins in the best-scored fifth"),
    ("ece", "expected calibration error"),
    ("calibration_in_the_large", "mean probability - share of wins"),
    ("expected_to_real_wins", "expected wins / real wins"),
)


PURPOSE = (
    "A calibrated probability per lead and instant. It ranks and sizes work; it does not decide about a "
    "person, and it knows nothing that happened after the instant it is asked for."
)


def write_card(
    *,
    crm_name: str,
    horizon_days: int,
    data: PreparedData,
    fitted: FittedModel,
    evaluation: Evaluation,
    left_out: tuple[tuple[str, int], ...] = (),
) -> str:
    """Return the card as Markdown; `left_out` counts leads nobody may learn from, by reason."""
    sections = (
        f"# Chance that a lead of {crm_name!r} is won within {horizon_days} days",
        PURPOSE,
        "## How it was made",
        *_making(data, fitted),
        *left_out_text(left_out),
        "## What the leakage guard says about its training leads",
        _leakage(data),
        "## How well it does on leads it has never seen",
        _table(evaluation),
        *_limits(evaluation),
    )
    return "\n\n".join(sections) + "\n"


def left_out_text(left_out: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Return how many leads nobody may learn from, per reason; nothing to say when there are none."""
    if not left_out:
        return ()
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in left_out)
    return (f"Leads that nobody may learn from, by reason: {reasons}.",)


def _making(data: PreparedData, fitted: FittedModel) -> tuple[str, ...]:
    split = data.split
    parts = (("training", data.train), ("calibration", data.calibration), ("test", data.test))
    counts = "\n".join(
        f"- {name}: {part.n_leads} leads, {int(part.labels.known.sum())} snapshots with a known outcome, "
        f"{int(part.labels.label[part.labels.known].sum())} won"
        for name, part in parts
    )
    tried = ", ".join(f"{each.candidate.name} {each.validation_log_loss:.4f}" for each in fitted.tried)
    learned = fitted.learned
    choice = (
        f"{len(data.feature_set.features)} features. {learned.n_trials} models were tried on folds of the "
        f"training and calibration leads; the best of each kind by log loss: {tried}; chosen, the simplest "
        f"within one standard error of the best: {fitted.chosen.candidate.name}, fitted on all of these "
        f"leads. Calibration: {fitted.calibration.kind.value}. Scores rest on: {learned.evidence}."
    )
    cut_short = ("The search was cut short by its budget.",) if learned.cut_short else ()
    return f"Split: {split.reason}.", counts, choice, *cut_short


def _leakage(data: PreparedData) -> str:
    """Return what a reader should doubt: every finding that is more than a note."""
    shown = [finding.text() for finding in data.findings if finding.severity != "note"]
    return "\n".join(f"- {text}" for text in shown) or "Nothing but what its notes say (`leakage.json`)."


def _table(evaluation: Evaluation) -> str:
    lines = ["| metric | value | 95 % interval |", "|---|---|---|"]
    for name, label in SHOWN_METRICS:
        metric = evaluation.metric(name)
        if metric is not None:
            lines.append(f"| {label} | {metric.value:.4f} | {metric.low:.4f} to {metric.high:.4f} |")
    parts = evaluation.brier_parts
    lines.append(f"| of the Brier score: miscalibration | {parts.miscalibration:.4f} | |")
    lines.append(f"| of the Brier score: discrimination | {parts.discrimination:.4f} | |")
    return "\n".join(lines)


def _limits(evaluation: Evaluation) -> Iterator[str]:
    """Yield what the figures cannot say, and where the promise is not kept."""
    if missing := evaluation.not_applicable:
        yield f"Without meaning on these leads, because all of them ended alike: {', '.join(missing)}."
    if off := [row for row in evaluation.slices if not row.not_applicable and is_off(row)]:
        yield "Groups whose real wins leave the range that chance allows (a few of many do by luck):"
        yield "\n".join(_off(row) for row in off)


def _off(row: SliceRow) -> str:
    low, high = wins_range(row)
    return (
        f"- {row.attribute_en}, {row.level_en}: {row.expected_wins:.0f} wins expected "
        f"({low:.0f} to {high:.0f}), {row.real_wins:.0f} came"
    )
