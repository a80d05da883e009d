"""What must hold of all papers at tier smoke, beside what pytest says: `verdicts.py FILE [OTHER]`.

FILE is what `pytest papers --claims-json FILE` wrote, or the verdicts.json of `claimbench run`;
OTHER the same under another profile.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Records = Sequence[dict[str, Any]]


def unrejected(records: Records) -> Iterator[str]:
    """Yield the claims that are reproduced though a control was not run or not rejected."""
    for record in records:
        control = record["control"]["verdict"]
        if record["verdict"] == "reproduced" and control != "diverged":
            yield f"{name(record)}: reproduced, but its control is {control or 'not run'}"


def disagreeing(records: Records, others: Records) -> Iterator[str]:
    """Yield the claims that have another verdict under another profile, or share its runs."""
    verdicts, elsewhere = ({name(r): r["verdict"] for r in them} for them in (records, others))
    for claim in sorted({*verdicts, *elsewhere}):
        one, other = verdicts.get(claim, "not run"), elsewhere.get(claim, "not run")
        if one != other:
            yield f"{claim}: {one}, but {other} under the other profile"
    keys = {record["run_key"] for record in records} - {None, ""}
    for record in others:
        if record["run_key"] in keys:
            yield f"{name(record)}: one run under two profiles"


def name(record: dict[str, Any]) -> str:
    """Return paper and claim."""
    return f"{record['paper']}::{record['claim']}"


def read(file: str) -> Records:
    """Return the verdicts of a file."""
    data = json.loads(Path(file).read_text(encoding="utf-8"))
    records: Records = data["verdicts"] if isinstance(data, dict) else data
    return records


def main(files: Sequence[str]) -> int:
    """Print what does not hold; 1 if there is something."""
    sets = [read(file) for file in files]
    troubles = [text for records in sets for text in unrejected(records)]
    if len(sets) == 2:
        troubles += disagreeing(*sets)
    sys.stdout.writelines(f"{text}\n" for text in troubles)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
