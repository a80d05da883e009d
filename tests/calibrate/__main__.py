"""How often the rules are wrong, on claims whose truth is known: `python -m tests.calibrate`.

Prints the page on calibration, or writes it with its plot. `samples` draws, `rules` judges
thousands of samples at once, `tables` counts, `page` writes.
"""

import argparse
from pathlib import Path

from claimbench.showing.output import line
from tests.calibrate.page import FAST, FULL, markdown, measure, plot


def main(words: list[str] | None = None) -> int:
    """Measure, and print or write. Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.calibrate",
        description="Judge claims whose truth is known, and say how often each rule is wrong.",
    )
    parser.add_argument("--fast", action="store_true", help="few samples: 1 s")
    parser.add_argument("--out", type=Path, help="folder for calibration.md and calibration.svg")
    options = parser.parse_args(words)
    results = measure(FAST if options.fast else FULL)
    text = markdown(results)
    if options.out is None:
        line(text)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "calibration.md").write_text(text, encoding="utf-8")
    plot(results, options.out / "calibration.svg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
