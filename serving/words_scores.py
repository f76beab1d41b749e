"""One sentence for a seller about what moved a score, English and German. Decides words, computes nothing."""

from collections.abc import Iterator
from datetime import datetime

from features.words.reasons import Language
from serving.score_changes import ChangeParts
from sla.stages import Stage
from sla.texts import Text
from sla.words_numbers import date_text, stage_predicate

FIRST = Text(en="The first score of this lead.", de="Der erste Score dieses Leads.")
SAME = Text(en="As on {day}.", de="Wie am {day}.")
CHANGED = Text(en="{change} points since {day}", de="{change} Punkte seit dem {day}")
DATA = Text(en="{points} from what is new", de="{points} durch Neues")
DATA_REASON = Text(
    en="{points} from what is new, most of all: {reason}", de="{points} durch Neues, vor allem: {reason}"
)
TIME = Text(en="{points} as time passed", de="{points}, weil Zeit vergangen ist")
MODEL = Text(
    en="{points} from model version {new} after {old}", de="{points} durch Modellversion {new} nach {old}"
)
POLICY = Text(
    en="Policy {new} makes it {stage}; under policy {old} it would be {old_stage}.",
    de="Nach Vereinbarung {new} ist er {stage}; nach Vereinbarung {old} wäre er {old_stage}.",
)
UNTOLD = Text(
    en="{change} points since {day}; its parts cannot be told: model version {version} is gone.",
    de="{change} Punkte seit dem {day}; die Teile sind nicht mehr bekannt: Modellversion {version} fehlt.",
)


def number_text(tenths: int, lang: Language) -> str:
    """Return tenths of a point with a sign: "+9.1", "−1,8"."""
    sign = "−" if tenths < 0 else "+"
    number = f"{abs(tenths) // 10}.{abs(tenths) % 10}"
    return sign + (number.replace(".", ",") if lang == "de" else number)


def change_sentence(
    parts: ChangeParts, *, since: datetime, versions: tuple[str, str], reason: str, lang: Language
) -> str:
    """Return what moved a score since an instant; `versions` are the models of both scores."""
    day = date_text(since.date(), lang)
    shown = list(_part_texts(parts, versions, reason, lang))
    if not shown:
        return SAME.in_language(lang).format(day=day)
    head = CHANGED.in_language(lang).format(change=number_text(parts.change, lang), day=day)
    return f"{head}: {'; '.join(shown)}."


def untold_sentence(change: int, *, since: datetime, version: str, lang: Language) -> str:
    """Return what is left to say where the model of the score before is gone."""
    day = date_text(since.date(), lang)
    return UNTOLD.in_language(lang).format(change=number_text(change, lang), day=day, version=version)


def policy_sentence(stage: Stage, old_stage: Stage, versions: tuple[str, str], lang: Language) -> str:
    """Return what the policy alone changed; empty when it changed nothing."""
    if stage is old_stage:
        return ""
    old, new = versions
    return POLICY.in_language(lang).format(
        new=new, old=old, stage=stage_predicate(stage, lang), old_stage=stage_predicate(old_stage, lang)
    )


def _part_texts(parts: ChangeParts, versions: tuple[str, str], reason: str, lang: Language) -> Iterator[str]:
    """Yield the parts that are not nothing, data first: a seller asks what the lead did."""
    if parts.data:
        words = DATA_REASON if reason else DATA
        yield words.in_language(lang).format(points=number_text(parts.data, lang), reason=reason)
    if parts.time:
        yield TIME.in_language(lang).format(points=number_text(parts.time, lang))
    if parts.model:
        old, new = versions
        yield MODEL.in_language(lang).format(points=number_text(parts.model, lang), old=old, new=new)
