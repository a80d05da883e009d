"""The suite that claimbench brings: the folders `papers` and `common`.

In a wheel they lie beside this file; in a development install they are those of the checkout.
`claimbench.suite.common.data` describes the data sets, whatever else is called `common` in the
process that asks.
"""

from pathlib import Path

_HERE = Path(__file__).parent

ROOT = _HERE if (_HERE / "papers").is_dir() else _HERE.parents[2]
"""The folder that holds `papers` and `common`."""

__path__ = [str(ROOT)]
