"""The model card: what a person should know before trusting a model, from the facts of its training."""

from training.evaluation import Evaluation
from training.recipe import FittedModel, PreparedData

SHOWN_METRICS = (
    ("log_loss", "log loss"),
    ("log_loss_prior", "log loss of the base rate alone"),
    ("skill", "skill (1 - log loss / that of the base rate)"),
    ("brier", "Brier score"),
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("ece", "expected calibration error"),
    ("expected_to_real_wins", "expected wins / real wins"),
)


PURPOSE = (
    "A calibrated probability per lead and instant. It ranks and sizes work; it does not decide about a "
    "person, and it knows nothing that happened after the instant it is asked for."
)


def write_card(
    *, crm_name: str, horizon_days: int, data: PreparedData, fitted: FittedModel, evaluation: Evaluation
) -> str:
    """Return the card as Markdown."""
    sections = (
        f"# Chance that a lead of {crm_name!r} is won within {horizon_days} days",
        PURPOSE,
        "## How it was made",
        *_making(data, fitted),
        "## What the leakage guard says about its training leads",
        _leakage(data),
        "## How well it does on leads it has never seen",
        _table(evaluation),
        *_limits(evaluation),
    )
    return "\n\n".join(sections) + "\n"


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
    return "\n".join(lines)


def _limits(evaluation: Evaluation) -> tuple[str, ...]:
    missing = evaluation.not_applicable
    if not missing:
        return ()
    return (f"Without meaning on these leads, because all of them ended alike: {', '.join(missing)}.",)
