"""Carrying out runs: in this process, or in worker processes forked from a template."""
