"""What the history of a lead's scores looks like, with an example."""

from serving.api.examples import Example
from serving.api.fields import Field, Kind
from serving.api.schemas_leads import STAGES


def _text(name: str, about: str, choices: tuple[str, ...] = ()) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=10_000, choices=choices)


def _time(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.TIME, about=about, required=True)


def _number(name: str, about: str, kind: Kind = Kind.NUMBER, *, most: int | None = None) -> Field:
    """Return a number that is always there, from 0 to `most` where that is given."""
    return Field(
        name=name, kind=kind, about=about, required=True, least=None if most is None else 0, most=most
    )


def _part(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, required=True, nullable=True)


SCORE_VIEW = Field(
    name="",
    kind=Kind.OBJECT,
    schema="LeadScore",
    about="One stored score, and what moved it since the one before.",
    fields=(
        _text("score_id", "Its id; `leadpact score replay` computes it again."),
        _time("as_of", "For which instant it was computed."),
        _time("scored_at", "When it was stored."),
        _number("probability", "The chance to be won within the horizon.", most=1),
        _number("probability_low", "Lower end of its interval.", most=1),
        _number("probability_high", "Upper end of its interval.", most=1),
        _number("points", "The same in points, rounded and cut to 0-100.", Kind.INTEGER, most=100),
        _number("exact_points", "Points to a tenth, not cut to 0-100."),
        _text("stage", "The stage the policy gave for it.", STAGES),
        _text("model_version", "The model that made it."),
        _text("policy_version", "The policy that decided about it."),
        _text("previous_score_id", "The score before; empty for the first."),
        _part("change_points", "exact_points less those of the score before; null for the first."),
        _part("data_points", "What has become known since; null where it cannot be told."),
        _part("time_points", "What elapsed time alone did to what was known before."),
        _part("model_points", "What a new model did."),
        _part("policy_points", "Always 0: a policy moves stages, not points."),
        _text(
            "stage_under_previous_policy",
            "The stage the policy of the score before would give; empty where it is the same policy.",
            (*STAGES, ""),
        ),
        _text("sentence", "What moved it, in one sentence for a seller."),
    ),
)

SCORE_PAGE = Field(
    name="",
    kind=Kind.OBJECT,
    schema="LeadScorePage",
    about="A page of a lead's scores, the newest first.",
    fields=(
        Field(name="items", kind=Kind.LIST, about="The scores.", required=True, items=SCORE_VIEW),
        _text("next_after", "Send it as `after` for the next page; empty on the last."),
    ),
)

SCORE_PAGE_EXAMPLE: Example = {
    "items": [
        {
            "score_id": "3c1f0c9a4be14b7f9f5a64a1de1d2f10",
            "as_of": "2026-11-23T09:00:00Z",
            "scored_at": "2026-11-23T09:00:00Z",
            "probability": 0.31,
            "probability_low": 0.24,
            "probability_high": 0.38,
            "points": 44,
            "exact_points": 44.2,
            "stage": "sql",
            "model_version": "7",
            "policy_version": "3",
            "previous_score_id": "b9d20c9a4be14b7f9f5a64a1de1d2f44",
            "change_points": 7.3,
            "data_points": 9.1,
            "time_points": -1.8,
            "model_points": 0.0,
            "policy_points": 0.0,
            "stage_under_previous_policy": "",
            "sentence": "+7.3 points since 20 November 2026: +9.1 from what is new, most of all: Asked for a "
            "demo today; −1.8 as time passed.",
        }
    ],
    "next_after": "",
}
