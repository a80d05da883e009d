"""The commands of `claimbench`, one a file: plain arguments in, exit code out."""

AS_EXPECTED = 0
NOT_AS_EXPECTED = 1
USAGE = 2
