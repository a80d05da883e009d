"""Data sets by name: `load("digits")`."""
