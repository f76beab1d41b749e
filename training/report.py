"""The evaluation as one HTML file: pictures, tables and what they mean, in English or German.

Nothing in it runs and nothing is loaded: no script, no link to elsewhere, pictures inline. Light and dark
follow the reader's system; on a phone the columns stack and wide tables scroll. Every name is escaped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from html import escape

from features.words.phrases import Language, number_text
from training import report_words as words
from training.evaluation import Evaluation, Interval
from training.groups import Group, SliceRow, TenthRow, is_off, wins_range
from training.influence import Influence
from training.pictures import (
    STYLE,
    Words,
    bars_picture,
    gain_picture,
    months_picture,
    reliability_picture,
)

SECURITY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser that reads this runs and fetches nothing, whatever a name in the data may hold."""

PROMISES: Mapping[words.Both, words.Both] = {
    words.IS_KEPT: words.KEPT,
    words.IS_TOO_MUCH: words.TOO_MUCH,
    words.IS_TOO_LITTLE: words.TOO_LITTLE,
}

PAGE_STYLE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
p { margin: .2rem 0 .7rem; } .muted { color: var(--muted); }
ul { margin: .3rem 0; padding-left: 1.2rem; } li { margin: .3rem 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 0 28px; }
svg { display: block; width: 100%; height: auto; max-width: 520px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap; }
tr > * { border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; }
td.what { white-space: normal; }
small { display: block; color: var(--muted); font-size: .85em; }
th { color: var(--muted); font-weight: 600; }
tr.head td { font-weight: 600; padding-top: 1rem; }
tr.small td { color: var(--muted); }
tr.off td:last-child { color: var(--second); font-weight: 600; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedModel:
    """One judged model: ``role`` is challenger, champion or trained; ``version`` empty before it has one."""

    role: str
    version: str
    evaluation: Evaluation
    influences: tuple[Influence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the page is about: one CRM's models on the same leads, the one in question first.

    ``difference`` is the first model's log loss minus the second's, where there are two.
    """

    crm_name: str
    horizon_days: int
    models: tuple[ReportedModel, ...]
    difference: Interval | None
    written_on: date


def render_report(report: Report, lang: Language) -> str:
    """Return the page."""
    title = escape(words.TITLE.say(lang))
    body = "".join(_sections(report, lang))
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{SECURITY}">'
        f"<title>{title}</title><style>{STYLE}{PAGE_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _sections(report: Report, lang: Language) -> Iterator[str]:
    main = report.models[0].evaluation
    subtitle = words.SUBTITLE.say(
        lang,
        crm=report.crm_name,
        days=report.horizon_days,
        leads=number_text(main.leads, lang),
        snapshots=number_text(main.snapshots, lang),
    )
    yield f"<h1>{escape(words.TITLE.say(lang))}</h1><p class=muted>{escape(subtitle)}</p>"
    yield _heading(words.ANSWERS, lang)
    yield f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in _answers(report, lang))}</ul>"
    yield f'<div class="pair">{"".join(_pictures(report, lang))}</div>'
    yield from _tables(report, lang)
    yield f"<p class=muted>{escape(words.FOOTER.say(lang, date=_date(report.written_on, lang)))}</p>"


def _answers(report: Report, lang: Language) -> Iterator[str]:
    """Yield what a reader with one minute should know."""
    first = report.models[0]
    yield _promise_sentence(first.evaluation, lang)
    lift, gain = first.evaluation.metric("lift_best_tenth"), first.evaluation.metric("gain_best_fifth")
    if lift is not None and gain is not None:
        yield words.ORDER.say(lang, lift=_number(lift.value, 1, lang), gain=_percent(gain.value, lang))
    skill = first.evaluation.metric("skill")
    if skill is not None:
        shown = (_percent(each, lang) for each in (skill.value, skill.low, skill.high))
        yield words.BETTER.say(lang, **dict(zip(("skill", "low", "high"), shown, strict=True)))
    if report.difference is not None:
        between = report.difference
        values = (_signed(each, lang) for each in (between.value, between.low, between.high))
        yield words.AGAINST.say(lang, **dict(zip(("difference", "low", "high"), values, strict=True)))


def _promise_sentence(evaluation: Evaluation, lang: Language) -> str:
    """Say whether as many were won as promised, in shares: what is won is counted once for each snapshot."""
    whole = evaluation.whole
    wins = (whole.expected_wins, whole.real_wins, *wins_range(whole))
    shown = (_percent(each / whole.weight, lang, digits=1) for each in wins)
    return PROMISES[_said(whole)].say(
        lang, **dict(zip(("expected", "real", "low", "high"), shown, strict=True))
    )


def _pictures(report: Report, lang: Language) -> Iterator[str]:
    first, *others = report.models
    main = first.evaluation
    second = others[0].evaluation.tenths if others else ()
    legend = _legend(report, lang)
    named = pictures_of(main, first.influences, lang, second=second)
    texts = {
        "reliability": (words.RELIABILITY, words.RELIABILITY_TEXT, legend),
        "gain": (words.GAIN, words.GAIN_TEXT, legend),
        "months": (words.MONTHS, words.MONTHS_TEXT, ""),
        "influences": (words.INFLUENCES, words.INFLUENCES_TEXT, ""),
    }
    for name, svg in named:
        heading, text, more = texts[name]
        said = " ".join(each for each in (text.say(lang), more) if each)
        yield f"<section>{_heading(heading, lang)}<p class=muted>{escape(said)}</p>{svg}</section>"


def pictures_of(
    evaluation: Evaluation,
    influences: Sequence[Influence],
    lang: Language,
    *,
    second: Sequence[TenthRow] = (),
) -> tuple[tuple[str, str], ...]:
    """Return the pictures of one evaluation by name, as SVG; only those with something to show."""

    def of(title: words.Both, x_name: words.Both, y_name: words.Both) -> Words:
        return Words(lang=lang, title=title.say(lang), x_name=x_name.say(lang), y_name=y_name.say(lang))

    drawn = [
        (
            "reliability",
            reliability_picture(evaluation.tenths, second, of(words.RELIABILITY, words.PROMISED, words.CAME)),
        )
    ]
    if evaluation.won_snapshots:
        about = of(words.GAIN, words.SHARE_OF_SNAPSHOTS, words.SHARE_OF_WINS)
        drawn.append(("gain", gain_picture(evaluation.tenths, second, about)))
    if evaluation.months:
        about = of(words.MONTHS, words.MONTH, words.WINS)
        drawn.append(("months", months_picture(evaluation.months, about)))
    if influences:
        rows = [_bar(each, lang) for each in influences]
        drawn.append(("influences", bars_picture(rows, of(words.INFLUENCES, words.MONTH, words.WINS))))
    return tuple(drawn)


def _bar(influence: Influence, lang: Language) -> tuple[str, float, str]:
    label = influence.label_de if lang == "de" else influence.label_en
    return label, influence.points, words.POINTS.say(lang, points=_number(influence.points, 1, lang))


def _legend(report: Report, lang: Language) -> str:
    if len(report.models) < 2:
        return ""
    first, second = (_model_name(each, lang) for each in report.models[:2])
    return words.SECOND_MODEL.say(lang, first=first, second=second)


def _model_name(model: ReportedModel, lang: Language) -> str:
    role = words.ROLES[model.role].say(lang)
    return f"{role}, {words.VERSION.say(lang, version=model.version)}" if model.version else role


def _tables(report: Report, lang: Language) -> Iterator[str]:
    main = report.models[0].evaluation
    yield _heading(words.FIGURES, lang) + _muted(words.FIGURES_TEXT, lang)
    yield _figures(report, lang)
    yield _heading(words.TENTHS, lang) + _muted(words.TENTHS_TEXT, lang)
    yield _table(_heads(words.TENTH_HEADS, lang), (_row(cells) for cells in _tenth_cells(main, lang)))
    yield _heading(words.SLICES, lang) + _muted(words.SLICES_TEXT, lang)
    if main.slices:
        yield _table(_heads(words.SLICE_HEADS, lang), _slice_rows(main.slices, lang))
    else:
        yield _muted(words.NO_SLICES, lang)
    if main.months:
        yield _heading(words.MONTHS, lang) + _muted(words.MONTHS_TEXT, lang)
        yield _table(_heads(words.MONTH_HEADS, lang), _month_rows(main, lang))


def _figures(report: Report, lang: Language) -> str:
    heads = [words.FIGURE.say(lang), *(_model_name(each, lang) for each in report.models)]
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    rows = (
        f'<tr><td class="what">{escape(name.say(lang))}<small>{escape(meaning.say(lang))}</small></td>'
        + "".join(f"<td>{_figure(each.evaluation, key, lang)}</td>" for each in report.models)
        + "</tr>"
        for key, name, meaning in words.METRICS
    )
    return _table(head, rows)


def _figure(evaluation: Evaluation, key: str, lang: Language) -> str:
    """Return the cell of one figure: the value, below it the interval."""
    parts = {f"brier_{name}": value for name, value in asdict(evaluation.brier_parts).items()}
    if key in parts:
        return _number(parts[key], 4, lang)
    interval = evaluation.metric(key)
    if interval is None:
        return words.NOT_APPLICABLE.say(lang)
    value, low, high = (_number(each, 4, lang) for each in (interval.value, interval.low, interval.high))
    return f"{value}<small>{low} – {high}</small>"


def _tenth_cells(evaluation: Evaluation, lang: Language) -> Iterator[tuple[str, ...]]:
    for row in evaluation.tenths:
        yield (
            str(row.tenth),
            number_text(row.snapshots, lang),
            _percent(row.mean_probability, lang, digits=1),
            _percent(row.win_rate, lang, digits=1),
            words.NOT_APPLICABLE.say(lang) if row.gain is None else _percent(row.gain, lang),
            words.NOT_APPLICABLE.say(lang) if row.lift is None else _number(row.lift, 2, lang),
        )


def _month_rows(evaluation: Evaluation, lang: Language) -> Iterator[str]:
    for row in evaluation.months:
        cells = (row.month, number_text(row.snapshots, lang), *_promise_cells(row, lang))
        yield _row(cells, css=_css_of(row))


def _slice_rows(slices: Iterable[SliceRow], lang: Language) -> Iterator[str]:
    """Yield a line with the attribute's name before its groups."""
    before = ""
    for row in slices:
        if row.feature != before:
            name = row.attribute_de if lang == "de" else row.attribute_en
            yield f'<tr class="head"><td colspan="{len(words.SLICE_HEADS)}">{escape(name)}</td></tr>'
            before = row.feature
        yield _slice_row(row, lang)


def _slice_row(row: SliceRow, lang: Language) -> str:
    level = row.level_de if lang == "de" else row.level_en
    expected, real, between, said = _promise_cells(row, lang)
    auc = words.NOT_APPLICABLE.say(lang) if row.auc is None else _number(row.auc, 2, lang)
    if row.not_applicable:
        said, auc, between = words.TOO_SMALL[row.not_applicable].say(lang), "–", "–"
    cells = (level, number_text(row.leads, lang), expected, real, between, auc, said)
    return _row(cells, css="small" if row.not_applicable else _css_of(row))


def _css_of(group: Group) -> str:
    return "off" if is_off(group) else ""


def _promise_cells(group: Group, lang: Language) -> tuple[str, str, str, str]:
    """Return expected and real wins, the range that chance allows, and whether the promise is kept."""
    low, high = wins_range(group)
    return (
        _count(group.expected_wins, lang),
        _count(group.real_wins, lang),
        f"{_count(low, lang)} – {_count(high, lang)}",
        _said(group).say(lang),
    )


def _said(group: Group) -> words.Both:
    if not is_off(group):
        return words.IS_KEPT
    return words.IS_TOO_MUCH if group.real_wins < group.expected_wins else words.IS_TOO_LITTLE


def _heading(text: words.Both, lang: Language) -> str:
    return f"<h2>{escape(text.say(lang))}</h2>"


def _muted(text: words.Both, lang: Language) -> str:
    return f"<p class=muted>{escape(text.say(lang))}</p>"


def _heads(heads: Iterable[words.Both], lang: Language) -> str:
    return "".join(f"<th>{escape(each.say(lang))}</th>" for each in heads)


def _row(cells: Iterable[str], *, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f"<tr{kind}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _table(head: str, rows: Iterable[str]) -> str:
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _number(value: float, digits: int, lang: Language) -> str:
    text = f"{value:.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if lang == "de" else text


def _signed(value: float, lang: Language) -> str:
    return f"{'−' if value < 0 else '+'}{_number(abs(value), 4, lang)}"


def _percent(share: float, lang: Language, *, digits: int = 0) -> str:
    return f"{_number(100.0 * share, digits, lang)} %"


def _count(value: float, lang: Language) -> str:
    return number_text(round(value), lang)


def _date(day: date, lang: Language) -> str:
    return day.strftime("%d.%m.%Y") if lang == "de" else day.isoformat()
