"""What `leadpact train` does with too few outcomes: a challenger that rests on what both teams expect."""

from dataclasses import asdict
from typing import Any

from features.tables import CanonicalTables
from serving.clock import now
from serving.commands.training_views import left_out_lines, plain_table, print_tables
from serving.console import print_json, step
from serving.settings import Settings
from training.agreed import AgreedRates
from training.mlflow_store import StorePlace
from training.train_agreed import AgreedResult, train_on_agreement


def train_agreed(
    settings: Settings,
    tables: CanonicalTables,
    agreed: AgreedRates,
    *,
    place: StorePlace,
    parent_run_id: str | None,
    as_json: bool,
) -> None:
    """Register what both teams expect as challenger, and say so."""
    result = train_on_agreement(
        settings.workspace,
        tables,
        agreed,
        place=place,
        now=now(),
        progress=step,
        parent_run_id=parent_run_id,
    )
    if as_json:
        print_json(agreed_json(result))
    else:
        show_agreed(result)


def agreed_json(result: AgreedResult) -> dict[str, Any]:
    """Return the result as one JSON document, with the keys of a training where they mean the same."""
    registered = result.registered
    return {
        "version": registered.version,
        "alias": "challenger",
        "run_id": registered.run_id,
        "experiment": registered.experiment,
        "tracking_uri": registered.store,
        "horizon_days": result.horizon_days,
        "evidence": "rules",
        "left_out": dict(result.left_out),
        "rates": [asdict(rate) for rate in result.rates],
        "next": "leadpact promote",
    }


def show_agreed(result: AgreedResult) -> None:
    """Print the result for people."""
    registered = result.registered
    table = plain_table(
        "persona", "agreed", "leads with a known end", "won of them", "score", "90 % interval"
    )
    for rate in result.rates:
        interval = f"{rate.low:.1%} to {rate.high:.1%}"
        counts = (f"{rate.known:.0f}", f"{rate.won:.0f}")
        table.add_row(rate.persona, f"{rate.agreed:.1%}", *counts, f"{rate.probability:.1%}", interval)
    print_tables(
        f"challenger: version {registered.version} of lead-conversion, horizon {result.horizon_days} days, "
        "evidence rules",
        "there are too few outcomes to learn from: scores rest on what both teams agreed to expect",
        *left_out_lines(result.left_out),
        table,
        f"logged in experiment {registered.experiment}, run {registered.run_id}",
        f"at {registered.store}",
        "next: leadpact promote",
    )
