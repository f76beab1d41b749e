"""A CRM with known truth: leads, what they do, what becomes of them, and each lead's true chance to be won.

`python -m experiments.simulator OUT --until TIME` writes it as an export in canonical form. Its parts:
`rhythm` (when people are about), `people` (who comes, how well they fit), `interest` (what they want and what
they show), `outcomes` (won, lost, open, and the truth), `activities` and `sales` (the log), `changes` (of
attributes), `export` (what the CRM knows at the end).
"""
