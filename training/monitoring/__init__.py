"""Whether the champion still sees the leads, and the outcomes, that it was calibrated and judged on.

`reference` is what a model directory freezes, `drift` compares the newest leads with it, `cohorts` compares
what was promised with what came, `look` does both once. Nothing here trains or moves an alias.
"""
