"""Which of our languages a caller reads."""

from typing import cast

from features.words.reasons import Language
from sla.texts import LANGUAGES


def accepted_language(header: str) -> Language:
    """Return the first of our languages in an Accept-Language header by its weights, else English."""
    weighted = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.lower().replace(" ", "").partition(";q=")
        language = tag.partition("-")[0]
        if language in LANGUAGES and (quality := _quality(weight)) > 0:
            weighted.append((-quality, place, language))
    return cast("Language", min(weighted, default=(0.0, 0, LANGUAGES[0]))[2])


def _quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
