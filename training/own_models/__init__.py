"""Models that were trained elsewhere, on the same labelled leads, and go through the same gates.

`table` writes and reads what such a model is trained on, `export` writes a fitted model as LightGBM text (or
refuses by name), `importing` calibrates, evaluates and registers that text as a challenger.
"""
