"""Draws what an evaluation found, as SVG: no script, nothing from elsewhere, light, dark and small screens.

Computes nothing that is not in the evaluation. Words are arguments; colours and sizes are decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from features.words.phrases import Language, number_text
from training.groups import MonthRow, TenthRow, wins_range

WIDTH, HEIGHT = 420.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 22.0, 12.0, 44.0
BAR_HEIGHT, BAR_GAP, MOST_BARS = 18.0, 22.0, 12
MOST_LETTERS = 58
LEAST_MONTH_WIDTH = 46.0

STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --muted: #52606d; --faint: #d9dee4; --paper: #ffffff;
  --first: #1d4ed8; --second: #b45309; --band: #bfd0f5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --muted: #a9b4c0; --faint: #3a444f;
  --paper: #14181d; --first: #7ea6ff; --second: #f0a95a; --band: #2c4277; } }
svg { font-family: system-ui, sans-serif; font-size: 12px; }
svg text { fill: var(--muted); }
svg .name { fill: var(--ink); }
svg .grid { stroke: var(--faint); stroke-width: 1; }
svg .ideal { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
svg .first { stroke: var(--first); fill: none; stroke-width: 2; }
svg .second { stroke: var(--second); fill: none; stroke-width: 2; stroke-dasharray: 7 3; }
svg .dot { fill: var(--first); stroke: var(--paper); stroke-width: 1; }
svg .dot-second { fill: var(--paper); stroke: var(--second); stroke-width: 2; }
svg .band { stroke: var(--band); stroke-width: 9; fill: none; }
svg .bar { fill: var(--band); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one picture: its language, what it shows (for screen readers), the names of its axes."""

    lang: Language
    title: str
    x_name: str
    y_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """A plot: its words, how far its axes go (from 0), and whether they are shares or counts."""

    words: Words
    x_end: float
    y_end: float
    is_share: bool

    def x(self, value: float) -> float:
        """Return where a value lies from left to right."""
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_end

    def y(self, value: float) -> float:
        """Return where a value lies from top to bottom."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.y_end


def reliability_picture(tenths: Sequence[TenthRow], others: Sequence[TenthRow], words: Words) -> str:
    """Return each tenth's promised probability against the share won, ``others`` those of a second model.

    A bar marks where 95 of 100 shares lie when the promise is right.
    """
    rows = (*tenths, *others)
    top = max(max(row.win_rate, _rate_range(row)[1]) for row in rows)
    end = _round_up(max(top, max(row.mean_probability for row in rows)), at_most=1.0)
    axes = Axes(words=words, x_end=end, y_end=end, is_share=True)
    bands = (
        _line(axes, ((row.mean_probability, low), (row.mean_probability, high)), "band")
        for row in tenths
        for low, high in (_rate_range(row),)
    )
    dots = (_dot(axes, row.mean_probability, row.win_rate, "dot-second") for row in others)
    own = (_dot(axes, row.mean_probability, row.win_rate, "dot") for row in tenths)
    ideal = _line(axes, ((0.0, 0.0), (end, end)), "ideal")
    return _picture(words, (*_grid(axes), *bands, ideal, *dots, *own))


def gain_picture(tenths: Sequence[TenthRow], others: Sequence[TenthRow], words: Words) -> str:
    """Return the share of all wins among the best-scored share of the snapshots."""
    axes = Axes(words=words, x_end=1.0, y_end=1.0, is_share=True)
    curves = [
        _line(axes, ((0.0, 0.0), *((row.share, row.gain or 0.0) for row in rows)), name)
        for rows, name in ((others, "second"), (tenths, "first"))
        if rows
    ]
    dots = (_dot(axes, row.share, row.gain or 0.0, "dot") for row in tenths)
    return _picture(words, (*_grid(axes), _line(axes, ((0, 0), (1, 1)), "ideal"), *curves, *dots))


def months_picture(months: Sequence[MonthRow], words: Words) -> str:
    """Return expected wins with their range and real wins of each month."""
    end = _round_up(max(max(wins_range(row)[1], row.real_wins) for row in months))
    axes = Axes(words=words, x_end=float(len(months)), y_end=end, is_share=False)
    step = -(-len(months) * LEAST_MONTH_WIDTH // (WIDTH - LEFT - RIGHT))
    marks: list[str] = []
    for place, row in enumerate(months):
        low, high = wins_range(row)
        marks.append(_line(axes, ((place + 0.5, low), (place + 0.5, high)), "band"))
        marks.append(_dot(axes, place + 0.5, row.real_wins, "dot"))
        if place % step == 0:
            marks.append(_text(axes.x(place + 0.5), HEIGHT - BOTTOM + 16, row.month, anchor="middle"))
    return _picture(words, (*_grid(axes, x_ticks=False), *marks))


def bars_picture(rows: Sequence[tuple[str, float, str]], words: Words) -> str:
    """Return one bar per row: its name, its length, and what to write behind it; the longest twelve."""
    shown = rows[:MOST_BARS]
    longest = max((length for _, length, _ in shown), default=1.0)
    parts: list[str] = []
    for place, (name, length, text) in enumerate(shown):
        top = place * (BAR_HEIGHT + BAR_GAP)
        width = (WIDTH - 84.0) * length / longest
        parts.append(_text(0.0, top + 14.0, _shortened(name), css="name"))
        parts.append(f'<rect class="bar" x="0" y="{top + 19:.1f}" width="{width:.1f}" height="14" rx="2"/>')
        parts.append(_text(width + 6.0, top + 30.5, text))
    return _picture(words, parts, height=max(len(shown), 1) * (BAR_HEIGHT + BAR_GAP))


def standalone(svg: str) -> bytes:
    """Return a picture as a file of its own, with its colours."""
    return svg.replace(">", f"><style>{STYLE}</style>", 1).encode()


def _rate_range(row: TenthRow) -> tuple[float, float]:
    """Return where the share won lies when the promise is right."""
    low, high = (wins / row.weight for wins in wins_range(row))
    return low, min(high, 1.0)


def _round_up(value: float, *, at_most: float | None = None) -> float:
    """Return the next round number (1, 2, 2.5, 4, 5 or 7.5 times a power of ten), cut to ``at_most``."""
    size = 1e-6
    while size < value:
        for step in (1.0, 2.0, 2.5, 4.0, 5.0, 7.5, 10.0):
            if size * step >= value:
                rounded = size * step
                return rounded if at_most is None else min(rounded, at_most)
        size *= 10.0
    return size


def _grid(axes: Axes, *, x_ticks: bool = True) -> Iterable[str]:
    for part in range(6):
        share = part / 5.0
        y = axes.y(share * axes.y_end)
        yield f'<line class="grid" x1="{LEFT:.1f}" x2="{WIDTH - RIGHT:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6.0, y + 4.0, _tick(share * axes.y_end, axes), anchor="end")
        if x_ticks:
            x = axes.x(share * axes.x_end)
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:.1f}" y2="{HEIGHT - BOTTOM:.1f}"/>'
            yield _text(x, HEIGHT - BOTTOM + 16.0, _tick(share * axes.x_end, axes), anchor="middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0, axes.words.x_name, anchor="middle")
    yield (
        f'<text transform="translate(11 {(TOP + HEIGHT - BOTTOM) / 2.0:.1f}) rotate(-90)" '
        f'text-anchor="middle">{escape(axes.words.y_name)}</text>'
    )


def _tick(value: float, axes: Axes) -> str:
    text = number_text(100.0 * value if axes.is_share else value, axes.words.lang)
    return f"{text} %" if axes.is_share else text


def _line(axes: Axes, points: Iterable[tuple[float, float]], css: str) -> str:
    path = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in points)
    return f'<polyline class="{css}" points="{path}"/>'


def _dot(axes: Axes, x: float, y: float, css: str) -> str:
    return f'<circle class="{css}" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="4.5"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _shortened(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _picture(words: Words, parts: Iterable[str], *, height: float = HEIGHT) -> str:
    title = escape(words.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )
