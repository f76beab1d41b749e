"""How often do open leads win, said by models that learned from half-finished cases? The truth is simulated.

`regimes` draws CRMs and what becomes of their open leads, `methods` are ways to label what is not over yet,
`measure` fits the same model on each and compares, `__main__` is the command.
"""
