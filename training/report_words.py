"""What the evaluation report says, in English and German: a table of texts. report.py says where."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.words.phrases import Language


@dataclass(frozen=True, slots=True)
class Both:
    """One text in both languages; ``{…}`` are places for values."""

    en: str
    de: str

    def say(self, lang: Language, **values: object) -> str:
        """Return the text with its values."""
        return (self.de if lang == "de" else self.en).format(**values)


TITLE = Both("How good is the score?", "Wie gut ist der Score?")
SUBTITLE = Both(
    "Chance that a lead of “{crm}” is won within {days} days. Judged on {leads} leads ({snapshots} "
    "snapshots) newer than anything the model has learnt from.",
    "Chance, dass ein Lead von „{crm}“ binnen {days} Tagen gewonnen wird. Geprüft an {leads} Leads "
    "({snapshots} Momentaufnahmen), die neuer sind als alles, woraus das Modell gelernt hat.",
)
ANSWERS = Both("In short", "Kurz gesagt")
KEPT = Both(
    "It promised that {expected} are won, and {real} were. Chance allows {low} to {high} when every "
    "probability "
    "is right: the promise is kept.",
    "Versprochen war, dass {expected} gewonnen werden; gekommen sind {real}. Stimmt jede Wahrscheinlichkeit, "
    "lässt der Zufall {low} bis {high} zu: Das Versprechen ist gehalten.",
)
TOO_MUCH = Both(
    "It promised that {expected} are won, and only {real} were. Chance allows {low} to {high} when every "
    "probability is right: it promises too much.",
    "Versprochen war, dass {expected} gewonnen werden; gekommen sind nur {real}. Stimmte jede "
    "Wahrscheinlichkeit, ließe der Zufall {low} bis {high} zu: Es wird zu viel versprochen.",
)
TOO_LITTLE = Both(
    "It promised that {expected} are won, and {real} were. Chance allows {low} to {high} when every "
    "probability is right: it promises too little.",
    "Versprochen war, dass {expected} gewonnen werden; gekommen sind {real}. Stimmte jede "
    "Wahrscheinlichkeit, "
    "ließe der Zufall {low} bis {high} zu: Es wird zu wenig versprochen.",
)
ORDER = Both(
    "The best-scored tenth holds {lift} times as many wins as a random tenth, the best fifth {gain} of all.",
    "Im bestbewerteten Zehntel liegen {lift}-mal so viele Abschlüsse wie in einem zufälligen, im besten "
    "Fünftel "
    "{gain} von allen.",
)
BETTER = Both(
    "Its probabilities lose {skill} less than the base rate alone (log loss; 95 % interval {low} to {high}).",
    "Die Wahrscheinlichkeiten verlieren {skill} weniger als die bloße Grundquote (Log-Loss; "
    "95-%-Intervall {low} bis {high}).",
)
AGAINST = Both(
    "Challenger against champion, on the same leads: log loss {difference} (95 % interval {low} to {high}); "
    "below 0 the challenger is better.",
    "Herausforderer gegen Champion, an denselben Leads: Log-Loss {difference} (95-%-Intervall {low} bis "
    "{high}); unter 0 ist der Herausforderer besser.",
)

CHALLENGER, CHAMPION = Both("challenger", "Herausforderer"), Both("champion", "Champion")
VERSION = Both("version {version}", "Version {version}")
TRAINED_NOW = Both("this training", "dieses Training")
ROLES: Mapping[str, Both] = {"challenger": CHALLENGER, "champion": CHAMPION, "trained": TRAINED_NOW}

RELIABILITY = Both("Does it keep its promises?", "Hält es, was es verspricht?")
RELIABILITY_TEXT = Both(
    "Each dot is a tenth of the snapshots. On the dashed line as many were won as promised; inside its bar a "
    "dot is as close as chance allows.",
    "Jeder Punkt ist ein Zehntel der Momentaufnahmen. Auf der gestrichelten Linie wurde so viel gewonnen wie "
    "versprochen; in seinem Balken liegt ein Punkt so nah, wie der Zufall es zulässt.",
)
PROMISED, CAME = Both("promised probability", "versprochene Wahrscheinlichkeit"), Both("won", "gewonnen")
GAIN = Both("Does it find the winners first?", "Findet es die Gewinner zuerst?")
GAIN_TEXT = Both(
    "Who works the best scores first reaches this share of all wins. The dashed line is a random order.",
    "Wer die besten Scores zuerst bearbeitet, erreicht diesen Anteil aller Abschlüsse. Die gestrichelte "
    "Linie "
    "ist eine zufällige Reihenfolge.",
)
SHARE_OF_SNAPSHOTS = Both("best-scored share", "bestbewerteter Anteil")
SHARE_OF_WINS = Both("share of all wins", "Anteil aller Abschlüsse")
SECOND_MODEL = Both(
    "Blue: {first}. Orange, hollow or dashed: {second}.",
    "Blau: {first}. Orange, hohl oder gestrichelt: {second}.",
)
MONTHS = Both("Expected and real wins by month", "Erwartete und echte Abschlüsse je Monat")
MONTHS_TEXT = Both(
    "The bar is what chance allows when the promise is right, the dot is what came. A lead counts in the "
    "months "
    "in which it was looked at, once for each look.",
    "Der Balken zeigt, was der Zufall zulässt, wenn das Versprechen stimmt, der Punkt, was kam. Ein Lead "
    "zählt in "
    "den Monaten, in denen er betrachtet wurde, einmal für jede Betrachtung.",
)
MONTH, WINS = Both("month", "Monat"), Both("wins", "Abschlüsse")
INFLUENCES = Both("What moves the score", "Was den Score bewegt")
INFLUENCES_TEXT = Both(
    "Mean size of each reason in points. Related features, such as all windows of one kind of activity, are "
    "one reason.",
    "Mittlere Größe jedes Grundes in Punkten. Verwandte Merkmale, etwa alle Zeitfenster einer Aktivitätsart, "
    "sind ein Grund.",
)
POINTS = Both("{points} points", "{points} Punkte")
TENTHS = Both("Tenth by tenth", "Zehntel für Zehntel")
TENTHS_TEXT = Both(
    "1 is the best-scored tenth. Gain: share of all wins up to here; lift: how many times a random order.",
    "1 ist das bestbewertete Zehntel. Ertrag: Anteil aller Abschlüsse bis hierher; Lift: das "
    "Wievielfache einer "
    "zufälligen Reihenfolge.",
)
SLICES = Both("Group by group", "Gruppe für Gruppe")
SLICES_TEXT = Both(
    "Personas, sources and other attributes with few values; wins are counted once for each look at a "
    "lead. Of "
    "many groups some leave their range by chance alone; the gates of the promotion allow for that.",
    "Personas, Quellen und andere Merkmale mit wenigen Werten; Abschlüsse zählen einmal für jede "
    "Betrachtung eines "
    "Leads. Von vielen Gruppen verlassen einige ihren Bereich schon durch Zufall; die Prüfung vor der "
    "Übernahme "
    "berücksichtigt das.",
)
NO_SLICES = Both(
    "No attribute has few enough values to be told apart.",
    "Kein Merkmal hat so wenige Werte, dass es sich unterscheiden ließe.",
)
FIGURES = Both("All figures", "Alle Kennzahlen")
FIGURES_TEXT = Both(
    "Below each its 95 % interval: leads were drawn again 500 times, each with all its snapshots.",
    "Darunter das 95-%-Intervall: Leads wurden 500-mal neu gezogen, jeder mit allen seinen Momentaufnahmen.",
)
NOT_APPLICABLE = Both("not applicable", "nicht anwendbar")
FOOTER = Both(
    "Written by LeadPact on {date}. Every number is in evaluation.json of the run.",
    "Erstellt von LeadPact am {date}. Jede Zahl steht in evaluation.json des Laufs.",
)

TENTH_HEADS = (
    Both("tenth", "Zehntel"),
    Both("snapshots", "Momentaufnahmen"),
    Both("promised", "versprochen"),
    Both("won", "gewonnen"),
    Both("gain", "Ertrag"),
    Both("lift", "Lift"),
)
SLICE_HEADS = (
    Both("group", "Gruppe"),
    Both("leads", "Leads"),
    Both("expected wins", "erwartet"),
    Both("real wins", "gekommen"),
    Both("range", "Bereich"),
    Both("AUC", "AUC"),
    Both("promise", "Versprechen"),
)
MONTH_HEADS = (
    Both("month", "Monat"),
    Both("snapshots", "Momentaufnahmen"),
    Both("expected wins", "erwartet"),
    Both("real wins", "gekommen"),
    Both("range", "Bereich"),
    Both("promise", "Versprechen"),
)
FIGURE = Both("figure", "Kennzahl")
IS_KEPT = Both("kept", "gehalten")
IS_TOO_MUCH = Both("too much", "zu viel")
IS_TOO_LITTLE = Both("too little", "zu wenig")
TOO_SMALL: Mapping[str, Both] = {
    "few_leads": Both("not applicable: under 50 leads", "nicht anwendbar: unter 50 Leads"),
    "few_outcomes": Both(
        "not applicable: under 5 of one outcome expected",
        "nicht anwendbar: weniger als 5 eines Ausgangs erwartet",
    ),
}

METRICS: tuple[tuple[str, Both, Both], ...] = (
    (
        "log_loss",
        Both("log loss", "Log-Loss"),
        Both(
            "mean of −log of the probability given to what happened; lower is better, a coin has 0.69",
            "Mittel von −log der Wahrscheinlichkeit dessen, was kam; kleiner ist besser, eine Münze hat 0,69",
        ),
    ),
    (
        "log_loss_prior",
        Both("log loss of the base rate", "Log-Loss der Grundquote"),
        Both("what somebody without a model gets", "was man ohne Modell bekommt"),
    ),
    (
        "skill",
        Both("skill", "Gewinn gegenüber der Grundquote"),
        Both(
            "1 − log loss / that of the base rate; 0 is no better, 1 is perfect",
            "1 − Log-Loss / den der Grundquote; 0 ist nicht besser, 1 ist vollkommen",
        ),
    ),
    (
        "brier",
        Both("Brier score", "Brier-Score"),
        Both("mean squared error; lower is better", "mittlerer quadratischer Fehler; kleiner ist besser"),
    ),
    (
        "brier_miscalibration",
        Both("… miscalibration", "… Fehlkalibrierung"),
        Both(
            "part of the Brier score that a better calibration would save (reliability); 0 is best",
            "Teil des Brier-Scores, den eine bessere Kalibrierung sparte (Reliability); 0 ist am besten",
        ),
    ),
    (
        "brier_discrimination",
        Both("… discrimination", "… Trennschärfe"),
        Both(
            "what telling leads apart saves (resolution); higher is better",
            "was die Unterscheidung der Leads spart (Resolution); größer ist besser",
        ),
    ),
    (
        "brier_uncertainty",
        Both("… uncertainty", "… Unsicherheit"),
        Both(
            "what the base rate loses; Brier = miscalibration − discrimination + uncertainty",
            "was die Grundquote verliert; Brier = Fehlkalibrierung − Trennschärfe + Unsicherheit",
        ),
    ),
    (
        "auc",
        Both("AUC", "AUC"),
        Both(
            "chance that a won lead scores above another; 0.5 is random",
            "Chance, dass ein gewonnener Lead höher liegt als ein anderer; 0,5 ist Zufall",
        ),
    ),
    (
        "average_precision",
        Both("average precision", "mittlere Präzision"),
        Both(
            "mean share of wins among the leads above each win; random is the win rate",
            "mittlerer Anteil der Gewinne oberhalb jedes Gewinns; Zufall ist die Abschlussquote",
        ),
    ),
    (
        "lift_best_tenth",
        Both("lift of the best tenth", "Lift des besten Zehntels"),
        Both(
            "how many times as many wins as in a random tenth", "das Wievielfache eines zufälligen Zehntels"
        ),
    ),
    (
        "gain_best_fifth",
        Both("gain of the best fifth", "Ertrag des besten Fünftels"),
        Both("share of all wins in it; random is 0.2", "Anteil aller Abschlüsse darin; Zufall ist 0,2"),
    ),
    (
        "ece",
        Both("calibration error (ECE)", "Kalibrierungsfehler (ECE)"),
        Both(
            "mean distance of promise and outcome over ten groups; 0 is best",
            "mittlerer Abstand von Versprechen und Ausgang über zehn Gruppen; 0 ist am besten",
        ),
    ),
    (
        "calibration_in_the_large",
        Both("calibration in the large", "Kalibrierung im Ganzen"),
        Both(
            "mean probability − win rate; above 0 it promises too much",
            "mittlere Wahrscheinlichkeit − Abschlussquote; über 0 wird zu viel versprochen",
        ),
    ),
    (
        "expected_to_real_wins",
        Both("expected / real wins", "erwartete / echte Abschlüsse"),
        Both("the same as a ratio; 1 is best", "dasselbe als Verhältnis; 1 ist am besten"),
    ),
    (
        "win_rate",
        Both("win rate", "Abschlussquote"),
        Both("share of the snapshots that were won", "Anteil der gewonnenen Momentaufnahmen"),
    ),
)
"""Every figure of an evaluation: its name in the JSON, its name for people, and what it says."""
