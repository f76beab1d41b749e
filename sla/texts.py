"""A text in both languages of the agreement. Decides nothing about what the text says."""

from dataclasses import dataclass

from sla.errors import filled_only, refuse_broken

GERMAN, ENGLISH = "de", "en"
LANGUAGES = (ENGLISH, GERMAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The same words in English and German, so that neither side signs a translation it cannot read."""

    en: str
    de: str

    def __post_init__(self) -> None:
        refuse_broken("text", filled_only(self, ("en", "de")))

    def in_language(self, lang: str) -> str:
        """Return the German words for "de", the English ones for every other language."""
        return self.de if lang == GERMAN else self.en
