"""The claim spec: what claims.yaml says, checked, without importing the paper.

`claimbench.spec.load.load_spec(folder)` reads a paper folder. Its errors name file, line, column
and remedy.
"""
