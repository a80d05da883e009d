"""Mutation: small wrong changes to a paper's method, to see whether its claims notice them.

`sites` finds in a file what may be changed; into what, `changes` says of operators, constants,
arguments and counts, `partners` of names, `updates` of what a method keeps, `matrices` of
transposes and `precision` of dtypes. `rewriting` makes mutants of a paper folder and chooses among
them, `reach` says which a claim might meet, `equivalents` reads which are known to change nothing,
and `running` tries the claims on them.
"""
