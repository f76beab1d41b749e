"""The guard on five real exports: it finds by itself what leaks in them, and nothing that is clean."""

from dataclasses import replace
from pathlib import Path

import pytest

from features.history.store import History
from features.importing.import_export import import_export
from features.leakage.findings import Finding
from features.tables import CanonicalTables
from tests.builders_leakage import anonymous, found_in

DATASETS = Path(__file__).resolve().parents[2] / "experiments" / "datasets"
PRICE = 'offer."Price" AS price'
SAAS_LEADS = """
[crm]
name = "saas_leads"
[tables]
leads = '''SELECT "Id" AS lead_id, "Source", "Discarded/Nurturing Reason", "Acquisition Campaign", "City"
    FROM 'leads_data_cleaned.csv' '''
deals = '''SELECT "Id" AS deal_id, "Id" AS lead_id, CASE WHEN "Id" IN (
        SELECT "Id" FROM 'offers.csv' WHERE "Status" = 'Closed Won' AND "Id" IS NOT NULL
    ) THEN 'won' ELSE 'lost' END AS outcome FROM 'leads_data_cleaned.csv' '''
"""
"""All leads of the SaaS export as finished cases: most were discarded without an offer."""


def imported(real_data: Path, tmp_path: Path, name: str) -> CanonicalTables:
    """Import a real export without its list of columns that are never features."""
    history, mapping = History(tmp_path / "history"), DATASETS / f"{name}.toml"
    if name == "saas_leads":
        mapping = written(tmp_path, SAAS_LEADS)
    if name == "saas_offers":
        more = PRICE + ', offer."Loss Reason" AS "Loss Reason", offer."Close Date" AS close_date'
        mapping = written(tmp_path, mapping.read_text(encoding="utf-8").replace(PRICE, more))
    folder = {"olist": "olist_funnel", "saas_leads": "saas_offers"}.get(name, name)
    import_export(
        real_data / folder,
        mapping_file=mapping,
        history=history,
        strict=False,
        rejects_dir=tmp_path / "rejects",
    )
    tables = history.read()
    return replace(tables, crm=replace(tables.crm, never=()))


def written(tmp_path: Path, mapping: str) -> Path:
    """Write a mapping of a test's own."""
    file = tmp_path / "mapping.toml"
    file.write_text(mapping, encoding="utf-8")
    return file


def columns_of(findings: tuple[Finding, ...], severity: str) -> set[str]:
    """Return the columns with a finding of a severity."""
    return {each.column for each in findings if each.severity == severity}


BY_NAME_AND_VALUE = [
    pytest.param(
        "xeducation",
        {"tags"},
        {
            "lead_quality", "lead_profile", "last_activity", "last_notable_activity",
            "asymmetrique_activity_index", "asymmetrique_profile_index", "asymmetrique_activity_score",
            "asymmetrique_profile_score", "occupation", "matters_most",
        },
        id="xeducation",
    ),
    pytest.param("bank_marketing", {"call_duration_seconds"}, set(), id="bank_marketing"),
    pytest.param(
        "olist",
        {
            "business_segment", "lead_type", "lead_behaviour_profile", "business_type",
            "declared_monthly_revenue", "sr_id",
        },
        {"sdr_id"},
        id="olist",
    ),
    pytest.param("bpic2012", set(), set(), id="bpic2012"),
    pytest.param(
        "saas_offers",
        {"discount_code"},
        {"discarded_reason", "Loss Reason", "close_date", "discount_code", "source", "price"},
        id="saas_offers",
    ),
    pytest.param("saas_leads", set(), {"Discarded/Nurturing Reason"}, id="saas_leads"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "errors", "warnings"), BY_NAME_AND_VALUE)
def test_what_leaks_is_found_without_a_list(
    real_data: Path, tmp_path: Path, name: str, errors: set[str], warnings: set[str]
) -> None:
    """Every column that is refused or left out, and no other: what is clean gets no error."""
    findings = found_in(imported(real_data, tmp_path, name))
    assert columns_of(findings, "error") == errors
    assert columns_of(findings, "warning") == warnings


BY_VALUE = [
    pytest.param("xeducation", {"tags", "lead_quality"}, id="xeducation"),
    pytest.param("bank_marketing", {"call_duration_seconds"}, id="bank_marketing"),
    pytest.param(
        "olist",
        {
            "business_segment", "lead_type", "lead_behaviour_profile", "business_type",
            "declared_monthly_revenue", "sr_id", "sdr_id",
        },
        id="olist",
    ),
    pytest.param("bpic2012", set(), id="bpic2012"),
    pytest.param("saas_offers", {"Loss Reason", "discount_code", "close_date"}, id="saas_offers"),
    pytest.param("saas_leads", {"Discarded/Nurturing Reason"}, id="saas_leads"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "errors"), BY_VALUE)
def test_what_leaks_is_found_under_any_name(
    real_data: Path, tmp_path: Path, name: str, errors: set[str]
) -> None:
    """With columns called c1, c2, … the numbers alone find the leaks, and nothing that is clean."""
    tables, names = anonymous(imported(real_data, tmp_path, name))
    assert {names[column] for column in columns_of(found_in(tables), "error")} == errors


@pytest.mark.parametrize("name", ["xeducation", "bank_marketing", "olist", "bpic2012", "saas_offers"])
def test_the_lists_of_the_mappings_settle_everything(real_data: Path, tmp_path: Path, name: str) -> None:
    """With the list of its mapping each export can be trained on."""
    tables = imported(real_data, tmp_path, name)
    never = History(tmp_path / "history").read_settings().never
    listed = replace(tables, crm=replace(tables.crm, never=never))
    assert columns_of(found_in(listed), "error") == set()
