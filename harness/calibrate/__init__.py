"""How often the rules are wrong, on claims whose truth is known: `python -m calibrate`.

`samples` draws, `rules` judges thousands of samples at once, `tables` counts, `page` writes.
`boundary` computes the constants of the rule `mean`. NumPy and SciPy are imported here and
nowhere else in the harness at import.
"""
