"""Mutation: small wrong changes to a paper's method, to see whether its claims notice them.

`changes` says what one piece of code may be replaced with, `sites` finds such pieces in a file,
`rewriting` makes mutants of a paper folder and chooses among them, `equivalents` reads which of
them are known to change nothing, and `running` tries the claims on them.
"""
