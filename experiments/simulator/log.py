"""The activity log while it is written: columns of equal length that are joined in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.simulator.chance import Flags, Floats, Integers, Texts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Activities of one kind of origin: `lead` is the row of the lead; NaN in `value` is missing."""

    lead: Integers
    occurred_us: Integers
    kind: Texts
    asset: Texts
    channel: Texts
    value: Floats

    def keep(self, chosen: Flags | Integers) -> "Entries":
        """Return the chosen entries only (a mask, or positions in the order wanted)."""
        return Entries(
            lead=self.lead[chosen],
            occurred_us=self.occurred_us[chosen],
            kind=self.kind[chosen],
            asset=self.asset[chosen],
            channel=self.channel[chosen],
            value=self.value[chosen],
        )


def entries(
    lead: Integers,
    occurred_us: Integers,
    kind: str,
    *,
    asset: Texts | str,
    channel: Texts | str,
    value: Floats | None = None,
) -> Entries:
    """Make entries of one kind; a single asset or channel counts for all of them."""
    count = len(lead)
    return Entries(
        lead=lead,
        occurred_us=occurred_us,
        kind=np.full(count, kind),
        asset=np.full(count, asset) if isinstance(asset, str) else asset,
        channel=np.full(count, channel) if isinstance(channel, str) else channel,
        value=np.full(count, np.nan) if value is None else value,
    )


def join(parts: Sequence[Entries]) -> Entries:
    """Join parts into one log in order of time (ties by lead)."""
    together = Entries(
        lead=np.concatenate([part.lead for part in parts]),
        occurred_us=np.concatenate([part.occurred_us for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        asset=np.concatenate([part.asset for part in parts]),
        channel=np.concatenate([part.channel for part in parts]),
        value=np.concatenate([part.value for part in parts]),
    )
    return together.keep(np.lexsort((together.kind, together.lead, together.occurred_us)))
