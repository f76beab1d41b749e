"""Reasons by family: they partition the features, they add up, their words fit the values, nothing twice."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import WINDOWS_ONE_KIND, activity_features
from features.definitions import Feature, FeatureKind, FeatureSet
from features.words.phrases import LANGUAGES, Language
from features.words.reasons import feature_label, never_sentence, reason_sentence, value_text
from serving.answers import flat_reasons, reason_values, tell_once
from serving.scorer import Scorer, to_microseconds
from serving.scorer_loading import load_scorer
from tests.builders_features import CHANNELS, CRM, KINDS
from tests.builders_serving import NOW, Desk, random_request
from training.artifact import FamilyReason
from training.loaded_model import speaker

Row = npt.NDArray[np.float64]
SOME_POINTS = st.floats(-40, 40).filter(lambda points: abs(points) > 1e-9)


@pytest.fixture(scope="module")
def scorer(shared_desk: Desk) -> Scorer:
    """Return the scorer of the shared workspace: a real model over every kind of feature."""
    return load_scorer(shared_desk.settings, now=NOW)


def row_of(scorer: Scorer, seed: int, *, silent: bool = False) -> Row:
    """Return the feature row of a random lead; a silent one has never done anything."""
    body = random_request(seed)
    activities = [] if silent else body["activities"]
    return scorer.champion.online.row(body["lead"], activities, to_microseconds(NOW)).values


def test_families_are_a_partition_of_the_features(scorer: Scorer) -> None:
    """Every feature is in exactly one family, in the order of the feature set."""
    members = [index for _, indices in scorer.model.families for index in indices]
    assert sorted(members) == list(range(len(scorer.model.feature_set.features)))
    assert all(list(indices) == sorted(indices) for _, indices in scorer.model.families)
    names = [family for family, _ in scorer.model.families]
    assert len(set(names)) == len(names)


def test_all_windows_of_one_activity_kind_are_one_family() -> None:
    """Counts of every window and the days since one kind are a family, and no other kind is in it."""
    families = defaultdict(list)
    for feature in activity_features(KINDS, CRM, channels=CHANNELS, has_assets=True):
        families[feature.family].append(feature)
    for kind in KINDS:
        found = families[f"activity:{kind}"]
        assert {feature.activity_kind for feature in found} == {kind}
        assert [feature.window_days for feature in found] == [*WINDOWS_ONE_KIND, None]
    spread = [each for each in families if any(feature.activity_kind for feature in families[each])]
    assert spread == [f"activity:{kind}" for kind in KINDS]


@given(shares=st.lists(SOME_POINTS, min_size=1, max_size=9))
def test_who_speaks_pulled_with_the_family(shares: list[float]) -> None:
    """The speaker has the sign of the sum and the largest share of that sign; the first of equals."""
    total = sum(shares)
    if total == 0.0:
        return
    chosen = speaker(range(len(shares)), shares, total)
    same_sign = [abs(share) for share in shares if share * total > 0]
    assert shares[chosen] * total > 0
    assert abs(shares[chosen]) == max(same_sign)
    assert chosen == shares.index(shares[chosen])


@given(seed=st.integers(0, 100_000), silent=st.booleans())
def test_families_sum_to_the_shares_of_their_features(scorer: Scorer, seed: int, silent: bool) -> None:
    """Each reason is the sum of its family, and base plus reasons is the points before rounding."""
    row = row_of(scorer, seed, silent=silent)
    shares = scorer.model.explain(row[np.newaxis])[0]
    families, reasons = dict(scorer.model.families), scorer.model.reasons(row)
    for reason in reasons:
        members = list(families[reason.family])
        assert reason.points == pytest.approx(float(shares[members].sum()), abs=1e-9)
        assert reason.feature_index in members
        assert shares[reason.feature_index] * reason.points > 0
    total = scorer.model.base_points + sum(reason.points for reason in reasons)
    assert total == pytest.approx(float(scorer.model.predict(row[np.newaxis]).points[0]), abs=1e-9)
    for lang in LANGUAGES:
        told = tell_once(reasons, scorer.model.feature_set, row.tolist(), lang)
        assert sum(each.points for each in told) == pytest.approx(
            sum(reason.points for reason in reasons), abs=1e-9
        )


@pytest.mark.parametrize("lang", LANGUAGES)
@given(seed=st.integers(0, 100_000), silent=st.booleans())
def test_no_two_reasons_say_the_same_and_each_fits_its_value(
    scorer: Scorer, lang: Language, seed: int, silent: bool
) -> None:
    """Sentences differ, loudest first; each is its feature's own for the lead's own value."""
    matrix_row, chosen = row_of(scorer, seed, silent=silent), scorer.model.feature_set
    row = matrix_row.tolist()
    told = tell_once(scorer.model.reasons(matrix_row), chosen, row, lang)
    assert [abs(each.points) for each in told] == sorted((abs(each.points) for each in told), reverse=True)
    expected = [sentence_of(each, chosen, row, lang) for each in told]
    assert len(set(expected)) == len(expected)
    spoken = [text for text in flat_reasons(told, chosen, row, lang) if text]
    assert [text.rpartition(" (")[0] for text in spoken] == expected[: len(spoken)]
    for each, listed in zip(told, reason_values(told, chosen, row, lang), strict=True):
        feature = chosen.features[each.feature_index]
        assert (listed.feature, listed.points) == (feature.name, each.points)
        assert listed.label == feature_label(feature, lang)
        assert listed.value == value_text(feature, row[each.feature_index], lang)


def sentence_of(reason: FamilyReason, chosen: FeatureSet, row: list[float], lang: Language) -> str:
    """Return what a reason must read: its feature's sentence, or that there never was an activity."""
    feature, value = chosen.features[reason.feature_index], row[reason.feature_index]
    recency = chosen.recency_of[reason.feature_index]
    if recency is None or not math.isnan(row[recency]):
        return reason_sentence(feature, value, lang)
    assert math.isnan(value) or value == 0.0
    return never_sentence(feature, lang)


SILENT = {
    "en": ("No page view so far (−3 points)", "No activity so far (−3 points)", "", "", ""),
    "de": ("Bisher keine Seitenaufrufe (−3 Punkte)", "Bisher keine Aktivitäten (−3 Punkte)", "", "", ""),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_lead_nobody_heard_of_is_told_once(lang: Language) -> None:
    """No activity and no first contact are one reason; one kind that never was is another."""
    chosen = _three_families()
    row = [0.0, math.nan, 0.0, math.nan, math.nan]
    reasons = [
        FamilyReason(family="engagement", feature_index=0, points=-4.0),
        FamilyReason(family="activity:page_view", feature_index=2, points=-3.0),
        FamilyReason(family="first_touch", feature_index=4, points=1.5),
    ]
    told = tell_once(reasons, chosen, row, lang)
    assert [each.points for each in told] == [-3.0, -2.5]
    assert [each.family for each in told] == ["activity:page_view", "engagement"]
    assert flat_reasons(told, chosen, row, lang) == SILENT[lang]


def _three_families() -> FeatureSet:
    return FeatureSet(
        features=(
            Feature(name="count_all_7d", kind=FeatureKind.COUNT, family="engagement", window_days=7),
            Feature(name="days_since_activity", kind=FeatureKind.DAYS_SINCE_LAST, family="engagement"),
            *_page_views(),
            Feature(name="first_touch_kind", kind=FeatureKind.FIRST_TOUCH_KIND, family="first_touch"),
        ),
        timezone="UTC",
        activity_kinds=("page_view",),
    )


def _page_views() -> Sequence[Feature]:
    counted = Feature(
        name="count_page_view_7d",
        kind=FeatureKind.COUNT,
        family="activity:page_view",
        activity_kind="page_view",
        window_days=7,
    )
    since = replace(counted, name="days_since_page_view", kind=FeatureKind.DAYS_SINCE_LAST, window_days=None)
    return counted, since
