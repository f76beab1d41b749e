"""One quarter of the demo CRM through the real API: every report equals an independent count of it.

Played on SQLite, and on PostgreSQL with a kill in the middle and everything sent twice: the same reports.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from features.catalogue import persona_feature
from features.definitions import FeatureSet
from serving.commands.train import persona_rules
from serving.operations.active_policy import policy_in_force
from serving.settings import Settings
from sla.business_time import OpeningHours
from sla.policy import Policy
from sla.policy_file import read_policy
from tests.builders_models import small_facts
from tests.builders_serving import Json, first_policy, install_policy, open_desk, point_to
from tests.flows.quarter import (
    QUARTER_BEGINS,
    QUARTER_ENDS,
    REPORTED_AT,
    REPORTS,
    SYNC_AT,
    Quarter,
    crm_messages,
    demo_world,
)
from tests.oracles import reports_slow as slow
from tests.oracles.business_minutes import minutes_open
from tests.serving.postgres import Cluster, running_cluster
from training.agreed import AgreedRates, calibration_of, log_odds_of, updated_rates, write_rates
from training.artifact import GoldenRows, write_model_directory
from training.labels import Labels
from training.points import log_odds_to_probability

ROUTING = '\n[routing]\nby = "round_robin"\npeople = ["Jonas Weber", "Sue Kim"]\n'
GOAL_DAYS = (
    ("2026-01-01, last = 2026-06-30", "2027-01-01, last = 2027-01-31"),
    ("2026-07-01, last = 2026-12-31", "2027-02-01, last = 2027-03-31"),
)
MORE_SQLS = ("expected_conversion = 0.15", "expected_conversion = 0.30")
"""Economic buyers are SQLs at once, so that sellers have something to do."""

FROM, TO = "2027-01-01", "2027-03-31"
CLOSED = ("2026-12-24", "2026-12-31")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Played:
    """A quarter that was played: its reports, and what the API says of every lead and handover."""

    quarter: Quarter
    reports: dict[str, Json]
    leads: dict[str, Json]
    handovers: list[Json]
    hours: OpeningHours

    def figures(self, query: str) -> dict[str, Json]:
        """Return the figures of a report by key."""
        return {one["key"]: one for one in self.reports[query]["figures"]}


def quarter_policy() -> str:
    """Return the first policy with a team of two and a goal in the quarter that is played."""
    policy = first_policy() + ROUTING
    for old, new in (*GOAL_DAYS, MORE_SQLS):
        assert old in policy
        policy = policy.replace(old, new)
    return policy


def install_agreed(settings: Settings, policy: Policy) -> None:
    """Put what both teams expect into service, as the demo's first model does: evidence rules."""
    rules = persona_rules(policy.personas)
    shares = tuple(one.expected_conversion for one in policy.personas)
    agreed = AgreedRates(general=policy.expected_conversion or 0.04, personas=rules, shares=shares)
    nothing = Labels(label=np.empty(0, np.int8), weight=np.empty(0), known=np.empty(0, np.bool_))
    rates = updated_rates(agreed, np.empty(0), nothing)
    margins = np.array([log_odds_of(rate) for rate in rates])
    codes = np.arange(len(rates), dtype=np.float64)
    features = (persona_feature(rules),)
    folder = settings.workspace.models_dir / "version-1"
    write_model_directory(
        folder,
        facts=replace(small_facts(), evidence="rules"),
        feature_set=FeatureSet(features=features, timezone="Europe/Berlin", activity_kinds=()),
        model_text=write_rates(rates),
        calibration=calibration_of(rates),
        card_markdown="# What both teams expect\n",
        golden=GoldenRows(matrix=codes[:, np.newaxis], probability=log_odds_to_probability(margins)),
    )
    point_to(settings.workspace.models_dir, "1", folder.name)


def play(root: Path, database_url: str | None, *, killed: bool = False) -> Played:
    """Play the quarter in a new workspace, and read everything at its end."""
    settings = Settings(workspace_root=root, database_url=database_url, mlflow_tracking_uri=None)
    install_policy(settings, quarter_policy())
    install_agreed(settings, read_policy(quarter_policy()))
    quarter = Quarter(open_desk(settings, ready=False), demo_world(), killed=killed).play()
    agreed = policy_in_force(quarter.desk.app.state.service.database(), at=REPORTED_AT)
    assert agreed is not None
    lead_ids = {one.path.rpartition("/")[2] for one in quarter.sent if one.method == "PUT"}
    return Played(
        quarter=quarter,
        reports={query: quarter.report(query) for query in REPORTS} | quarter.reports_midway,
        leads={lead_id: quarter.get(f"/v1/leads/{lead_id}") for lead_id in sorted(lead_ids)},
        handovers=quarter.handovers(),
        hours=agreed.hours,
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a PostgreSQL server for this module."""
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Return the quarter as it was played on SQLite."""
    played = play(tmp_path_factory.mktemp("sqlite") / "workspace", None)
    yield played
    played.quarter.close()


Change = Callable[[Played], Json]
QUARTER = f"?from={FROM}&to={TO}"


def values_of(figures: dict[str, Json], *keys: str) -> list[Any]:
    """Return the values of some figures."""
    return [figures[key]["value"] for key in keys]


def earlier() -> datetime:
    """Return the instant up to which the quarter before is compared: as far into it as now into this one."""
    return REPORTED_AT - (QUARTER_BEGINS - datetime.fromisoformat("2026-09-30T22:00:00+00:00"))


def test_something_happened(on_sqlite: Played) -> None:
    """The play has every kind of act and of end, else the reports would be counted over nothing."""
    kinds = Counter(step["kind"] for lead in on_sqlite.leads.values() for step in lead["timeline"])
    acts = {"scored", "attempted", "rejected", "recycled", "opened", "won", "lost"}
    assert acts <= kinds.keys()
    assert {"open", "accepted", "returned", "done"} <= {one["status"] for one in on_sqlite.handovers}
    assert max(lead["cycle"] for lead in on_sqlite.leads.values()) > 1


def test_every_handover_says_who_when_how_often_and_with_what(on_sqlite: Played) -> None:
    """The owner from the agreed team, the deadline, the attempts, and the content of stage and persona."""
    for one in on_sqlite.handovers:
        assert one["owner"] in ("Jonas Weber", "Sue Kim")
        assert slow.instant(one["respond_by"]) > slow.instant(one["created_at"])
        assert (one["attempts_least"], one["attempts_most"]) == (3, 8)
        if one["persona"] == "economic_buyer":
            assert one["content"][0].startswith("Case study: eleven percent")
        assert "Price overview" in one["content"]


def test_the_funnel_is_counted(on_sqlite: Played) -> None:
    """Counts, shares, medians and leads of every step, and those of the quarter before at the same point."""
    figures = on_sqlite.figures(f"funnel{QUARTER}")
    now = slow.begun_between(on_sqlite.leads.values(), FROM, TO, REPORTED_AT)
    before = slow.begun_between(on_sqlite.leads.values(), "2026-10-01", "2026-12-31", earlier())
    assert len(now) > 40
    assert len(before) > 5
    for group, key in ((lambda _one: True, "all"), (lambda one: one.number == 1, "cycle=1")):
        ours = [one for one in now if group(one)]
        theirs = slow.funnel_count([one for one in before if group(one)])
        for rank, (stage, counted) in enumerate(zip(slow.STAGES, slow.funnel_count(ours), strict=True)):
            names = ("reached", "conversion", "median_days") if rank else ("reached",)
            found = [figures[f"{key}/{stage}.{name}"] for name in names]
            assert [one["value"] for one in found] == pytest.approx(list(counted[: len(names)]))
            assert [one["before"] for one in found] == pytest.approx(list(theirs[rank][: len(names)]))
            assert found[0]["leads"] == sorted({one.lead_id for one in ours if one.at[rank] is not None})


def test_what_changed_in_the_funnel_adds_up(on_sqlite: Played) -> None:
    """By cycle, persona, source, model and policy: the parts of each are the whole change of a step."""
    figures = on_sqlite.figures(f"funnel{QUARTER}")
    whole = figures["all/mql.change"]["value"]
    assert whole is not None
    for kind in ("cycle", "persona", "source", "model", "policy"):
        parts = [
            one["value"]
            for key, one in figures.items()
            if key.startswith(f"{kind}=") and key.endswith(("/mql.mix", "/mql.rate"))
        ]
        assert sum(parts) == pytest.approx(whole)
    sources = Counter(
        on_sqlite.leads[one.lead_id]["attributes"]["source"]
        for one in slow.begun_between(on_sqlite.leads.values(), FROM, TO, REPORTED_AT)
    )
    for source, number in sources.items():
        assert figures[f"source={source}/lead.reached"]["value"] == number


def arrivals(played: Played, first: str, last: str, until: datetime) -> dict[str, datetime]:
    """Return the leads that became MQL or more on these days, and when first."""
    since, after = slow.midnight(first), slow.midnight(last) + DAY
    found: dict[str, datetime] = {}
    for lead in played.leads.values():
        for cycle in slow.cycles_of(lead, until):
            at = cycle.at[1]
            if at is not None and since <= at < after and slow.instant(lead["created_at"]) <= until:
                found.setdefault(lead["lead_id"], at)
    return found


def expected_wins(played: Played, arrived: dict[str, datetime]) -> float:
    """Return the sum of the newest score of each lead when it arrived, asked of the database in SQL."""
    query = text(
        "SELECT probability FROM scores WHERE lead_id = :lead AND scored_at <= :at ORDER BY scored_at"
    )
    with played.quarter.desk.app.state.service.database().connect() as connection:
        naive = connection.dialect.name == "sqlite"
        rows = [
            connection.execute(query, {"lead": lead, "at": at.strftime("%F %T.%f") if naive else at}).all()
            for lead, at in arrived.items()
        ]
    return sum(float(found[-1][0]) for found in rows)


@pytest.mark.parametrize(("first", "months"), [("2027-01-01", 3), ("2027-03-01", 1)])
def test_marketings_pledge_is_counted(on_sqlite: Played, first: str, months: int) -> None:
    """60 MQLs and six expected wins a month, against arrivals and their scores."""
    figures = on_sqlite.figures(f"pledges?from={first}&to={TO}")
    arrived = arrivals(on_sqlite, first, TO, REPORTED_AT)
    leads, wins = figures["marketing/leads"], figures["marketing/expected_wins"]
    assert (leads["value"], leads["leads"]) == (len(arrived), sorted(arrived))
    assert (leads["target"], leads["due"], wins["target"]) == (60 * months, 60 * months, 6 * months)
    assert wins["value"] == pytest.approx(expected_wins(on_sqlite, arrived))
    assert leads["status"] == ("kept" if len(arrived) >= 60 * months else "broken")


def test_a_running_month_owes_its_working_days(on_sqlite: Played) -> None:
    """On the morning of 15 February ten of twenty working days are over."""
    figures = on_sqlite.figures("pledges?from=2027-02-01&to=2027-02-28")
    passed = slow.german_working_days("2027-02-01", "2027-02-14", closed=CLOSED)
    whole = slow.german_working_days("2027-02-01", "2027-02-28", closed=CLOSED)
    leads = figures["marketing/leads"]
    assert leads["due"] == pytest.approx(60 * passed / whole)
    arrived = arrivals(on_sqlite, "2027-02-01", "2027-02-28", SYNC_AT + timedelta(hours=4))
    assert leads["value"] == len(arrived)
    assert leads["status"] == ("on_track" if len(arrived) >= leads["due"] else "behind")


def handed_over(played: Played, first: str, last: str) -> list[Json]:
    """Return the handovers to sales of these days."""
    since, after = slow.midnight(first), slow.midnight(last) + DAY
    return [one for one in played.handovers if since <= slow.instant(one["created_at"]) < after]


def limit_of(handover: Json) -> int:
    """Return the agreed minutes: two hours for an economic buyer, else four."""
    return 120 if handover["persona"] == "economic_buyer" else 240


def test_sales_pledges_are_counted(on_sqlite: Played) -> None:
    """Answered in time, tried often enough, followed up: each SQL judged by its own facts."""
    figures = on_sqlite.figures(f"pledges{QUARTER}")
    sqls = handed_over(on_sqlite, FROM, TO)
    assert len(sqls) > 15
    answers = Counter(slow.answer_state(one, limit_of(one), on_sqlite.hours, REPORTED_AT) for one in sqls)
    tries = Counter(
        slow.attempt_state(one, slow.ended_by(one, on_sqlite.leads[one["lead_id"]])) for one in sqls
    )
    follow = Counter(
        "kept"
        if one["answered_at"] is not None
        else "not_owed"
        if one["closed_at"] is not None
        else "missed"
        if one["clocks"][-1]["status"] == "escalated"
        else "pending"
        for one in sqls
    )
    for name, counted in (("answered_in_time", answers), ("least_attempts", tries), ("followed_up", follow)):
        parts = [f"sales/{name}.{state}" for state in ("kept", "missed", "pending")]
        assert values_of(figures, *parts) == [counted[state] for state in ("kept", "missed", "pending")]
        decided = counted["kept"] + counted["missed"]
        assert figures[f"sales/{name}"]["value"] == pytest.approx(counted["kept"] / decided)


def cause_of(played: Played, handover: Json) -> datetime:
    """Return the act that made an SQL: the newest of the message after which it was handed over."""
    lead_id, at = handover["lead_id"], slow.instant(handover["created_at"])
    causes = []
    for message in played.quarter.sent:
        if message.at == at and message.path == f"/v1/leads/{lead_id}":
            causes.append(message.body["changed_at"])
        if message.at == at and message.path == "/v1/activities":
            own = (one for one in message.body["items"] if one["lead_id"] == lead_id)
            causes += [one["occurred_at"] for one in own]
    return max(map(slow.instant, causes))


def test_the_system_s_lag_is_counted(on_sqlite: Played) -> None:
    """From the act that made the lead an SQL until a seller has it, in open minutes of sales."""
    figures = on_sqlite.figures(f"response{QUARTER}")
    sqls = handed_over(on_sqlite, FROM, TO)
    lags = [
        minutes_open(cause_of(on_sqlite, one), slow.instant(one["assigned_at"]), on_sqlite.hours)
        for one in sqls
    ]
    assert max(lags) > 0
    assert values_of(figures, "sales/system_lag_median", "sales/system_lag_p90") == pytest.approx(
        list(np.quantile(lags, [0.5, 0.9]))
    )


def test_response_times_are_counted(on_sqlite: Played) -> None:
    """The seller's lag minute by minute, its quantiles as numpy has them, for the team and per persona."""
    figures = on_sqlite.figures(f"response{QUARTER}")
    sqls = handed_over(on_sqlite, FROM, TO)
    for persona in ("economic_buyer", None):
        chosen = [one for one in sqls if persona is None or one["persona"] == persona]
        section = "sales" if persona is None else f"persona={persona}"
        lags = [slow.waited(one, on_sqlite.hours)[1] for one in chosen]
        known = [lag for lag in lags if lag is not None]
        assert values_of(
            figures, f"{section}/seller_lag_median", f"{section}/seller_lag_p90"
        ) == pytest.approx(list(np.quantile(known, [0.5, 0.9])))
        answers = Counter(
            slow.answer_state(one, limit_of(one), on_sqlite.hours, REPORTED_AT) for one in chosen
        )
        share = answers["kept"] / (answers["kept"] + answers["missed"])
        assert figures[f"{section}/answered_in_time"]["value"] == pytest.approx(share)
    assert not [key for key in figures if key.startswith("person=")]


def test_the_load_is_counted(on_sqlite: Played) -> None:
    """Open SQLs and owed attempts by hand; a week after Easter Monday has all its days."""
    figures = on_sqlite.figures("workload")
    running = [one for one in on_sqlite.handovers if one["closed_at"] is None]
    owed = sum(
        max(0, one["attempts_least"] - len(one["attempts"]))
        for one in running
        if not any(tried["result"] in slow.CONTACT for tried in one["attempts"])
    )
    recent = [one for one in on_sqlite.handovers if slow.instant(one["created_at"]) > REPORTED_AT - 28 * DAY]
    hours_now = 1.5 * len(running) + 0.25 * owed
    rate = len(recent) / 4
    assert values_of(figures, "sales/open_sqls", "sales/attempts_owed", "sales/new_sqls_expected") == [
        len(running),
        owed,
        rate,
    ]
    assert figures["sales/hours_now"]["value"] == pytest.approx(hours_now)
    assert figures["sales/hours_next_week"]["value"] == pytest.approx(hours_now + rate * (1.5 + 3 * 0.25))
    assert figures["sales/capacity_hours"]["value"] == pytest.approx(60.0)
    assert figures["sales/open_sqls"]["leads"] == sorted(one["lead_id"] for one in running)


def sent_deals(played: Played) -> dict[str, Json]:
    """Return every deal as it was sent last."""
    deals: dict[str, Json] = {}
    for message in crm_messages(demo_world()):
        if message.path == "/v1/deals":
            deals |= {one["deal_id"]: one for one in message.body["items"]}
    return deals


def test_planned_deals_are_counted(on_sqlite: Played) -> None:
    """What was sent last of each deal, against the day it was planned for."""
    figures = on_sqlite.figures(f"pledges{QUARTER}")
    counted: dict[str, list[Json]] = {}
    for deal in sent_deals(on_sqlite).values():
        planned = deal.get("planned_close_at")
        if planned is None or not QUARTER_BEGINS <= slow.instant(planned) < QUARTER_ENDS:
            continue
        day = slow.instant(planned).astimezone(slow.BERLIN).date()
        if "outcome" not in deal:
            became = "overdue" if REPORTED_AT.astimezone(slow.BERLIN).date() > day else "still_planned"
        elif deal["outcome"] == "lost":
            became = "lost"
        else:
            is_late = slow.instant(deal["closed_at"]).astimezone(slow.BERLIN).date() > day
            became = "won_late" if is_late else "won_on_time"
        counted.setdefault(became, []).append(deal)
    assert {"won_on_time", "lost", "overdue"} <= counted.keys()
    for became in ("won_on_time", "won_late", "lost", "overdue", "still_planned"):
        deals = counted.get(became, [])
        amount = sum(one["amount"] for one in deals)
        assert figures[f"planned/{became}"]["value"] == len(deals)
        assert figures[f"planned/{became}.amount"]["value"] == pytest.approx(amount)
        assert figures[f"planned/{became}"]["leads"] == sorted({one["lead_id"] for one in deals})


def test_the_goal_is_counted(on_sqlite: Played) -> None:
    """Deals that closed in January, and in February and March, in Berlin."""
    figures = on_sqlite.figures("goal")
    ends = [one for one in sent_deals(on_sqlite).values() if "outcome" in one]
    for section, months in (("baseline", (1,)), ("period", (2, 3))):
        days = [(slow.instant(one["closed_at"]).astimezone(slow.BERLIN), one) for one in ends]
        inside = [one for at, one in days if at.year == 2027 and at.month in months]
        won = [one for one in inside if one["outcome"] == "won"]
        assert values_of(figures, f"{section}/won", f"{section}/cases") == [len(won), len(inside)]
        assert figures[f"{section}/won"]["leads"] == sorted({one["lead_id"] for one in won})


def lost_and_won(played: Played) -> dict[str, list[Json]]:
    """Return the deals that ended in the quarter, by how."""
    found: dict[str, list[Json]] = {"lost": [], "won": []}
    for one in sent_deals(played).values():
        if "outcome" in one and QUARTER_BEGINS <= slow.instant(one["closed_at"]) < QUARTER_ENDS:
            found[one["outcome"]].append(one)
    return found


def test_losses_are_counted(on_sqlite: Played) -> None:
    """Lost deals by the reason that was sent, leads given back by their kind, and the leads behind."""
    report = on_sqlite.reports[f"losses{QUARTER}"]
    lost = lost_and_won(on_sqlite)["lost"]
    given_back = Counter(
        step["kind"]
        for lead in on_sqlite.leads.values()
        for step in lead["timeline"]
        if step["kind"] in ("rejected", "recycled", "no_contact")
        and QUARTER_BEGINS <= slow.instant(step["occurred_at"]) < QUARTER_ENDS
    )
    kinds = {one["kind"]: one["counted"]["count"] for one in report["kinds"]}
    assert kinds == {"lost": len(lost), **{kind: given_back[kind] for kind in kinds if kind != "lost"}}
    assert report["total"]["count"] == len(lost) + given_back.total()
    sent = Counter(one["loss_reason"] for one in lost)
    sent["targeting_no_need"] += given_back["rejected"]  # sellers say "no need", which is the same reason
    reasons = {one["code"]: one["counted"]["count"] for one in report["reasons"]}
    assert {code: reasons[code] for code in sent} == dict(sent)
    (of_lost,) = (one["counted"] for one in report["kinds"] if one["kind"] == "lost")
    assert of_lost["lead_ids"] == sorted({one["lead_id"] for one in lost})[:20]


def test_wins_are_counted(on_sqlite: Played) -> None:
    """Every won deal of the quarter is told, with its amount, the newest first."""
    report = on_sqlite.reports[f"wins{QUARTER}"]
    won = sorted(
        lost_and_won(on_sqlite)["won"], key=lambda one: (one["closed_at"], one["deal_id"]), reverse=True
    )
    assert won
    assert [one["deal_id"] for one in report["wins"]] == [one["deal_id"] for one in won]
    assert report["amount"] == pytest.approx(sum(one["amount"] for one in won))


def test_everything_twice_changes_nothing(on_sqlite: Played) -> None:
    """After a new start all activities, deals and acts come once more: late, and known already."""
    on_sqlite.quarter.start_again()
    on_sqlite.quarter.send_all_again(leads=False)
    assert {query: on_sqlite.quarter.report(query) for query in REPORTS} == {
        query: on_sqlite.reports[query] for query in REPORTS
    }


def test_a_kill_on_postgresql_changes_nothing(
    on_sqlite: Played, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed while it writes, in the middle of a sync, and sent everything since the beginning once more.

    On the other database the quarter ends with the same reports, to the last digit and lead.
    """
    root = tmp_path_factory.mktemp("postgresql") / "workspace"
    other = play(root, cluster.new_database(), killed=True)
    other.quarter.close()
    assert other.reports == on_sqlite.reports
