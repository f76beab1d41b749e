"""Draws what an evaluation found: reliability and gain. Computes nothing that is not in the evaluation."""

from io import BytesIO
from typing import TYPE_CHECKING

from training.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_INCHES = (6.4, 4.8)
DOTS_PER_INCH = 110
INK, SHADE = "#1f4e79", "#9aa5b1"


def reliability_picture(evaluation: Evaluation, *, title: str) -> bytes:
    """Return a PNG: promised probability against the share won, per tenth of the snapshots."""
    figure, axes = _canvas(title)
    promised = [row.mean_probability for row in evaluation.tenths]
    came = [row.win_rate for row in evaluation.tenths]
    edge = min(1.0, 1.05 * max(*promised, *came, 0.05))
    axes.plot([0.0, edge], [0.0, edge], color=SHADE, linestyle="--", label="promised = came")
    axes.plot(promised, came, color=INK, marker="o", label="a tenth of the snapshots")
    axes.set(xlabel="promised probability", ylabel="share won", xlim=(0.0, edge), ylim=(0.0, edge))
    return _png(figure, axes)


def gain_picture(evaluation: Evaluation, *, title: str) -> bytes:
    """Return a PNG: the share of all wins among the best-scored share of the snapshots."""
    figure, axes = _canvas(title)
    total = sum(row.snapshots for row in evaluation.tenths)
    shares, gains, so_far = [0.0], [0.0], 0
    for row in evaluation.tenths:
        so_far += row.snapshots
        shares.append(so_far / total)
        gains.append(row.gain)
    axes.plot([0.0, 1.0], [0.0, 1.0], color=SHADE, linestyle="--", label="random order")
    axes.plot(shares, gains, color=INK, marker="o", label="best scores first")
    axes.set(xlabel="share of snapshots", ylabel="share of wins", xlim=(0.0, 1.0), ylim=(0.0, 1.02))
    return _png(figure, axes)


def _canvas(title: str) -> "tuple[Figure, Axes]":
    """Return a figure of its own: pyplot keeps global state and looks for a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.grid(color=SHADE, alpha=0.3)
    return figure, axes


def _png(figure: "Figure", axes: "Axes") -> bytes:
    axes.legend(loc="best", frameon=False)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
