"""Columns that follow from the outcome are left out by name, in English and German, and nothing else is."""

import pytest

from features.crm import CrmSettings, NamedReason
from features.leakage import denied_columns

CRM = CrmSettings(
    name="test",
    never=(
        NamedReason(column="Tags", reason="written during the call"),
        NamedReason(column="both", reason=""),
    ),
    allow=(
        NamedReason(column="status", reason="marital status"),
        NamedReason(column="both", reason="why not"),
    ),
)

DENIED = [
    ("Lead Stage", "denied-stage"),
    ("dealstage", "denied-stage"),
    ("lifecycleStage", "denied-stage"),
    ("Vertriebsphase", "denied-stage"),
    ("hs_lead_status", "denied-status"),
    ("Lead-Status", "denied-status"),
    ("Bearbeitungsstatus", "denied-status"),
    ("OwnerId", "denied-owner"),
    ("hubspot_owner_id", "denied-owner"),
    ("Besitzer", "denied-owner"),
    ("Eigentümer", "denied-owner"),
    ("Close Date", "denied-closing"),
    ("closed_lost_reason", "denied-closing"),
    ("Loss_Reason__c", "denied-closing"),
    ("IsConverted", "denied-closing"),
    ("Verlustgrund", "denied-closing"),
    ("gewonnen_am", "denied-closing"),
    ("converted at", "denied-closing"),
    ("Discarded/Nurturing Reason", "denied-closing"),
    ("ConvertedOpportunityId", "denied-closing"),
    ("recent_deal_close_date", "denied-closing"),
    ("hs_lifecyclestage_customer_date", "denied-stage"),
    ("hubspotscore", "denied-judgement"),
    ("hs_lastmodifieddate", "denied-overwritten"),
    ("hs_last_sales_activity_timestamp", "denied-overwritten"),
    ("hs_lead_disqualification_reason", "denied-closing"),
    ("Ablehnungsgrund", "denied-closing"),
    ("Grund der Absage", "denied-closing"),
    ("Lead Quality", "denied-judgement"),
    ("Lead Profile", "denied-judgement"),
    ("Lead Score", "denied-judgement"),
    ("Rating", "denied-judgement"),
    ("lead_grade", "denied-judgement"),
    ("Asymmetrique Activity Score", "denied-judgement"),
    ("Bewertung", "denied-judgement"),
    ("Leadqualität", "denied-judgement"),
    ("Priorität", "denied-judgement"),
    ("Einstufung", "denied-judgement"),
    ("Last Activity", "denied-overwritten"),
    ("Last Notable Activity", "denied-overwritten"),
    ("notes_last_contacted", "denied-overwritten"),
    ("LastModifiedDate", "denied-overwritten"),
    ("last_modified_by", "denied-overwritten"),
    ("letzte Aktivität", "denied-overwritten"),
    ("Datum letzter Kontakt", "denied-overwritten"),
    ("zuletzt geändert am", "denied-overwritten"),
]
CLEAN = (
    "marital_status",
    "home_owner",
    "company_stage",
    "Lead Source",
    "Lead Origin",
    "industry",
    "Branche",
    "country",
    "state",
    "previous_outcome_count",
    "Total Time Spent on Website",
    "What is your current occupation",
    "Do Not Email",
    "campaign",
    "created_by_form",
    "Last Name",
    "Nachname",
    "first_name",
    "contact_reason",
    "Besuchsgrund",
    "reason for interest",
    "credit_score_of_company",
    "activity",
    "product_interest",
    "water quality",
    "profile_url",
    "Höchster Abschluss",
    "price_list",
    "last_visit_page",
    "time",
    "date_of_birth",
    "Datum",
    "by",
    "",
)


@pytest.mark.parametrize(("column", "code"), DENIED)
def test_denied_names(column: str, code: str) -> None:
    """Prefixes and suffixes of CRMs, camel case and umlauts do not hide a denied name."""
    (finding,) = denied_columns((column,), CrmSettings(name="test"))
    assert (finding.code, finding.severity, finding.column) == (code, "warning", column)
    assert repr(column) in finding.message
    assert "[attributes.allow]" in finding.message


def test_clean_names_stay() -> None:
    """A name that only contains such a word is no finding."""
    assert denied_columns(CLEAN, CrmSettings(name="test")) == ()


def test_never_and_allow() -> None:
    """What crm.toml says wins; a column in both lists is an error."""
    findings = denied_columns(("Tags", "status", "both", "industry"), CRM)
    assert [(each.column, each.code, each.severity) for each in findings] == [
        ("Tags", "denied-never", "warning"),
        ("both", "never-and-allow", "error"),
    ]
    assert findings[0].message == "column 'Tags' is left out: written during the call"
