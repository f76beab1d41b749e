"""One look: quiet without change, a finding per change, a third answer where nothing can be judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from experiments.studies.monitoring.changes import broken_tracking, fewer_wins, new_word
from features.errors import InputError
from features.tables import CanonicalTables
from tests.builders_models import write_small_model
from tests.builders_own_models import as_of, own_directory
from tests.builders_training import day, day_us, finished_cases, learnable_crm
from training.artifact import LoadedModel, load_model, read_reference
from training.labels import label_points
from training.monitoring.look import Look, look_at
from training.monitoring.reference import Reference, points_at_age

TRAINED_DAY, NOW_DAY = 240.0, 400.0


@pytest.fixture(scope="module")
def crm() -> CanonicalTables:
    """Return 400 days of leads, about ten a day."""
    return learnable_crm(n_leads=4000)


@pytest.fixture(scope="module")
def folder(crm: CanonicalTables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a model that was trained on day 240."""
    return own_directory(as_of(crm, day(TRAINED_DAY)), tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def model(folder: Path) -> LoadedModel:
    """Return that model."""
    return load_model(folder)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    """Return what it froze."""
    return Reference.from_dict(read_reference(folder) or {})


def codes(look: Look) -> set[str]:
    """Return what a look found."""
    return {finding.code for finding in look.findings}


def test_without_change_nothing_is_said(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """Inputs, score and outcomes are all measured and none is a finding."""
    look = look_at(crm, model, reference)
    assert look.findings == ()
    assert look.silences == ()
    assert {(each.name, each.age_days) for each in look.drift} >= {
        ("industry", 0), ("probability", 0), ("probability", 7), ("count_demo_request_30d", 7)
    }  # fmt: skip
    assert {each.code for each in look.outcomes} == {
        "calibration_newest", "calibration_since_training", "lift_lost"
    }  # fmt: skip


def test_a_new_word_is_found_with_its_share(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """A quarter of the newest leads in a new industry: the share, the feature, advice in both languages."""
    changed = new_word(crm, day_us(NOW_DAY - 14), np.random.default_rng(0))
    look = look_at(changed, model, reference)
    finding = next(each for each in look.findings if each.code == "unknown_levels")
    numbers = dict(finding.facts)
    new = np.array([each == "biotech" for each in changed.leads.column("industry").to_pylist()])
    created = np.array(changed.leads.column("created_at").cast(pa.int64()))
    recent = (created > day_us(NOW_DAY - 14)) & (created <= day_us(NOW_DAY))
    assert numbers["subject"] == "industry"
    assert numbers["share"] == pytest.approx(new[recent].mean(), abs=0.02)
    assert finding.severity == "warning"
    assert "leadpact train" in finding.text("de")
    assert finding.text("de") != finding.text("en")


def test_broken_tracking_is_one_finding_per_family(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """Windows of one activity move together and are said once; attributes are not blamed."""
    look = look_at(broken_tracking(crm, day_us(NOW_DAY - 21), np.random.default_rng(0)), model, reference)
    subjects = [str(dict(each.facts)["subject"]) for each in look.findings if each.code == "input_drift"]
    assert any("page_view" in subject for subject in subjects)
    assert not {"industry", "employees", "newsletter"} & set(subjects)
    families = [measure.family for measure in look.drift if measure.name in subjects]
    assert len(families) == len(set(families))


def test_promises_that_are_not_kept_are_found(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """Wins that stop coming are found in the newest cohort and in all since the training; inputs are fine."""
    changed = fewer_wins(crm, day_us(TRAINED_DAY), np.random.default_rng(0))
    look = look_at(changed, model, reference, window_days=28)
    assert {"calibration_newest", "calibration_since_training"} <= codes(look)
    newest = next(each for each in look.outcomes if each.code == "calibration_newest")
    assert newest.ratio.low > 1.1


def test_the_cohort_is_what_became_of_leads_nobody_trained_on(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """Expected and real wins equal a sum over leads newer than the model's whose horizon is over."""
    everyone = np.arange(crm.leads.num_rows)
    until = day_us(NOW_DAY - 30)
    points = points_at_age(crm, everyone, 0, after_us=reference.newest_lead_us, until_us=until)
    labels = label_points(crm, points, horizon_days=30, known_until_us=day_us(NOW_DAY))
    measured = next(
        each for each in look_at(crm, model, reference).outcomes if each.code == "calibration_since_training"
    )
    assert reference.newest_lead_us <= day_us(TRAINED_DAY - 30)
    assert (measured.leads, measured.real_wins) == (len(points), int(labels.label.sum()))
    assert measured.expected_wins == pytest.approx(measured.real_wins, rel=0.25)


def test_a_look_knows_nothing_later(crm: CanonicalTables, model: LoadedModel, reference: Reference) -> None:
    """Standing at day 330 it says the same whether or not the history goes on."""
    created = np.array(crm.leads.column("created_at").cast(pa.int64()))
    kept = pa.array(created <= day_us(330))
    gone = replace(crm, leads=crm.leads.filter(kept))
    ids = gone.leads.column("lead_id").combine_chunks()
    parts = {
        name: crm.table(name).filter(pa.compute.is_in(crm.table(name).column("lead_id"), value_set=ids))
        for name in ("activities", "deals")
    }
    early = look_at(as_of(crm, day(330)), model, reference)
    assert look_at(as_of(replace(gone, **parts), day(330)), model, reference) == early


def test_right_after_the_training_outcomes_have_no_answer(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """No horizon of a newer lead is over yet: that is said, with what is needed; inputs are judged."""
    look = look_at(as_of(crm, day(TRAINED_DAY)), model, reference)
    assert {each.code for each in look.silences} == {"no_newest_cohort", "no_matured_cohort"}
    assert all("30 days" in each.sentence("en") for each in look.silences)
    assert look.drift
    assert look.findings == ()


def test_a_window_with_few_leads_is_not_judged(
    crm: CanonicalTables, model: LoadedModel, reference: Reference
) -> None:
    """Two days hold about twenty leads: the sentence says how many there are and how many are needed."""
    look = look_at(crm, model, reference, window_days=2)
    assert [each.code for each in look.silences[:2]] == ["few_new_leads", "few_new_leads"]
    assert "50 are needed" in look.silences[0].sentence("en")
    assert look.drift == ()


def test_a_directory_without_reference_and_a_history_without_times(
    crm: CanonicalTables, model: LoadedModel, reference: Reference, tmp_path: Path
) -> None:
    """An earlier version's directory still loads and says what does not apply; so does a flat table."""
    write_small_model(tmp_path / "old")
    assert load_model(tmp_path / "old").manifest.version == ""
    assert read_reference(tmp_path / "old") is None
    assert [each.code for each in look_at(crm, model, None).silences] == ["no_reference"]
    assert [each.code for each in look_at(finished_cases(), model, reference).silences] == ["no_times"]


def test_the_reference_is_compact_sealed_and_reads_back(folder: Path, reference: Reference) -> None:
    """A few kilobytes of counts under the manifest's hash; a changed one is refused."""
    text = (folder / "reference.json").read_bytes()
    assert len(text) < 40_000
    assert Reference.from_dict(reference.to_dict()) == reference
    assert all(sum(column.counts) == age.rows for age in reference.ages for column in age.columns)
    (folder / "reference.json").write_bytes(text.replace(b'"rows": ', b'"rows":  '))
    with pytest.raises(InputError, match=r"reference.json: SHA-256 must be"):
        load_model(folder)
    (folder / "reference.json").write_bytes(text)
    with pytest.raises(InputError, match="format must be 1"):
        Reference.from_dict({**reference.to_dict(), "format": 2})
    with pytest.raises(InputError, match="must hold a reference"):
        Reference.from_dict({**reference.to_dict(), "ages": 3})
