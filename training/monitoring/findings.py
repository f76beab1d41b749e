"""What `leadpact monitor` says: a stable code, severity, the numbers, and advice, in German and English.

The codes are the keys of `SENTENCES`. When something is worth saying is decided in `look`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["de", "en"]
Severity = Literal["warning", "note"]
SEVERITY_WORDS: Mapping[Severity, Mapping[Language, str]] = {
    "warning": {"de": "Warnung", "en": "warning"},
    "note": {"de": "Hinweis", "en": "note"},
}

SENTENCES: Mapping[str, Mapping[Language, str]] = {
    "input_drift": {
        "en": "{subject} of the newest {rows} leads is spread otherwise than before: PSI {psi:.3f}, "
        "critical for these sample sizes {critical:.3f}; related inputs that moved too: {others}",
        "de": "{subject} ist bei den neuesten {rows} Leads anders verteilt als zuvor: PSI {psi:.3f}, "
        "kritisch bei diesen Stichproben {critical:.3f}; verwandte Merkmale, die sich auch bewegten: "
        "{others}",
    },
    "score_drift": {
        "en": "the scores of the newest {rows} leads at {age_days} days are spread otherwise than before: "
        "PSI {psi:.3f}, critical {critical:.3f}; mean probability {mean:.1%}",
        "de": "die Scores der neuesten {rows} Leads im Alter von {age_days} Tagen sind anders verteilt als "
        "zuvor: PSI {psi:.3f}, kritisch {critical:.3f}; mittlere Wahrscheinlichkeit {mean:.1%}",
    },
    "unknown_levels": {
        "en": "{share:.1%} of the newest leads have a value of {subject} that the model does not know; "
        "before it were {share_before:.1%}",
        "de": "{share:.1%} der neuesten Leads haben bei {subject} einen Wert, den das Modell nicht kennt; "
        "zuvor waren es {share_before:.1%}",
    },
    "calibration_newest": {
        "en": "of the {leads} leads whose horizon ended last, {expected_wins:.1f} wins were expected and "
        "{real_wins:.0f} came: {ratio:.2f} times as many expected (interval {low:.2f} to {high:.2f})",
        "de": "von den {leads} Leads, deren Frist zuletzt endete, wurden {expected_wins:.1f} Abschlüsse "
        "erwartet, {real_wins:.0f} kamen: erwartet/eingetreten {ratio:.2f} (Intervall {low:.2f} bis "
        "{high:.2f})",
    },
    "calibration_since_training": {
        "en": "since the training {expected_wins:.1f} wins of {leads} leads were expected and "
        "{real_wins:.0f} came: {ratio:.2f} times as many expected (always-valid interval {low:.2f} to "
        "{high:.2f})",
        "de": "seit dem Training wurden bei {leads} Leads {expected_wins:.1f} Abschlüsse erwartet, "
        "{real_wins:.0f} kamen: erwartet/eingetreten {ratio:.2f} (jederzeit gültiges Intervall {low:.2f} "
        "bis {high:.2f})",
    },
    "lift_lost": {
        "en": "the best-scored fifth of {leads} leads was won {ratio:.2f} times as often as the average (at "
        "most {high:.2f}); when the model was judged it was {promised:.2f}",
        "de": "das bestbewertete Fünftel von {leads} Leads wurde {ratio:.2f}-mal so oft gewonnen wie der "
        "Durchschnitt (höchstens {high:.2f}); als das Modell beurteilt wurde, waren es {promised:.2f}",
    },
}

ADVICE: Mapping[str, Mapping[Language, str]] = {
    "input_drift": {
        "en": "ask marketing what changed (campaign, form, tracking); a mistake in the data is repaired at "
        "its source, a lasting change is a reason to run leadpact train and leadpact evaluate",
        "de": "Marketing fragen, was sich geändert hat (Kampagne, Formular, Tracking); einen Datenfehler an "
        "der Quelle beheben, bei einer dauerhaften Änderung leadpact train und leadpact evaluate aufrufen",
    },
    "score_drift": {
        "en": "look at the inputs above first; more or fewer leads will pass the thresholds of the policy, "
        "so tell sales, and run leadpact train when the change lasts",
        "de": "zuerst die Merkmale oben ansehen; mehr oder weniger Leads erreichen die Schwellen der "
        "Vereinbarung, also Vertrieb informieren und bei dauerhafter Änderung leadpact train aufrufen",
    },
    "unknown_levels": {
        "en": "a new value is scored as 'other': check its spelling in the CRM, and run leadpact train once "
        "leads with it have outcomes",
        "de": "ein neuer Wert zählt als 'anderer': Schreibweise im CRM prüfen, und leadpact train aufrufen, "
        "sobald es zu ihm Ergebnisse gibt",
    },
    "calibration_newest": {
        "en": "plans that add up probabilities are off by this factor; check that deals are closed in the "
        "CRM in time, then run leadpact train and let leadpact promote judge",
        "de": "Pläne, die Wahrscheinlichkeiten addieren, liegen um diesen Faktor daneben; prüfen, ob Deals "
        "im CRM rechtzeitig geschlossen werden, dann leadpact train, und leadpact promote entscheiden lassen",
    },
    "calibration_since_training": {
        "en": "the level of the model is off for good, not by chance: run leadpact train and let leadpact "
        "promote judge",
        "de": "das Niveau des Modells stimmt dauerhaft nicht: leadpact train aufrufen und leadpact promote "
        "entscheiden lassen",
    },
    "lift_lost": {
        "en": "the model ranks worse than it did: sales works on the wrong leads first; run leadpact train "
        "and leadpact evaluate",
        "de": "das Modell sortiert schlechter als zuvor, der Vertrieb bearbeitet die falschen Leads zuerst: "
        "leadpact train und leadpact evaluate aufrufen",
    },
}

SILENCE: Mapping[str, Mapping[Language, str]] = {
    "no_reference": {
        "en": "inputs and scores: does not apply, because the champion's directory freezes no reference "
        "(trained by an earlier version); leadpact train makes one that does",
        "de": "Merkmale und Scores: nicht anwendbar, weil das Verzeichnis des Champions keinen Vergleich "
        "enthält (frühere Version); leadpact train legt einen an",
    },
    "no_times": {
        "en": "monitoring does not apply: the history has no times, so nothing in it is newest",
        "de": "Überwachung nicht anwendbar: die Historie hat keine Zeiten, also ist nichts darin das Neueste",
    },
    "few_new_leads": {
        "en": "inputs and scores at {age_days} days: does not apply, because only {rows} leads reached that "
        "age in the {window_days} days before {until}; {needed} are needed (--window-days takes more days)",
        "de": "Merkmale und Scores mit {age_days} Tagen: nicht anwendbar, weil nur {rows} Leads in den "
        "{window_days} Tagen vor {until} dieses Alter erreichten; nötig sind {needed} (--window-days)",
    },
    "no_newest_cohort": {
        "en": "calibration of the newest cohort: does not apply, because of {leads} leads newer than the "
        "training whose horizon of {horizon_days} days is over, {expected_wins:.1f} wins were expected, and "
        "about {needed} are needed",
        "de": "Kalibrierung der neuesten Leads mit abgelaufener Frist: nicht anwendbar, weil bei {leads} "
        "Leads nach dem Training, deren Frist von {horizon_days} Tagen vorbei ist, {expected_wins:.1f} "
        "Abschlüsse erwartet wurden; nötig sind etwa {needed}",
    },
    "no_matured_cohort": {
        "en": "calibration and lift since the training: does not apply, because of {leads} leads newer than "
        "the training whose horizon of {horizon_days} days is over, {expected_wins:.1f} wins were expected, "
        "and about {needed} are needed",
        "de": "Kalibrierung und Lift seit dem Training: nicht anwendbar, weil bei {leads} Leads nach dem "
        "Training, deren Frist von {horizon_days} Tagen vorbei ist, {expected_wins:.1f} Abschlüsse erwartet "
        "wurden; nötig sind etwa {needed}",
    },
}
"""What cannot be judged, and why: a third answer beside "fine" and a finding."""

Facts = tuple[tuple[str, float | str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringFinding:
    """One thing worth a look; ``facts`` are the numbers and names of its sentence."""

    code: str
    severity: Severity
    facts: Facts

    def sentence(self, lang: Language = "en") -> str:
        """Say what was found, with its numbers."""
        return SENTENCES[self.code][lang].format(**dict(self.facts))

    def advice(self, lang: Language = "en") -> str:
        """Say what to do about it."""
        return ADVICE[self.code][lang]

    def text(self, lang: Language = "en") -> str:
        """Return one line: severity, sentence, advice, code."""
        severity = SEVERITY_WORDS[self.severity][lang]
        return f"{severity}: {self.sentence(lang)}; {self.advice(lang)} [{self.code}]"

    def to_dict(self, lang: Language = "en") -> dict[str, object]:
        """JSON-able form."""
        said = {"message": self.sentence(lang), "advice": self.advice(lang)}
        return {"code": self.code, "severity": self.severity, **said, "numbers": dict(self.facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One thing that cannot be judged, and why."""

    code: str
    facts: Facts = ()

    def sentence(self, lang: Language = "en") -> str:
        """Say what does not apply, and what would be needed."""
        return SILENCE[self.code][lang].format(**dict(self.facts))

    def to_dict(self, lang: Language = "en") -> dict[str, object]:
        """JSON-able form."""
        return {"code": self.code, "message": self.sentence(lang), "numbers": dict(self.facts)}
