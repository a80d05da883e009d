"""Keep one issue up to date with the claims that got worse: `alert_issue.py ALERT.md`.

There is at most one open issue with the label. It is opened when a claim gets worse, its text is
replaced every night, and it is closed when no claim is worse than it was.
"""

import json
import subprocess
import sys
from pathlib import Path

LABEL = "verdicts"
TITLE = "Claims whose verdict got worse"
NOTHING = "No claim is worse"


def main() -> None:
    """Open, rewrite or close the issue, as the text says."""
    file = Path(sys.argv[1])
    issue = open_issue()
    if file.read_text(encoding="utf-8").startswith(NOTHING):
        if issue is not None:
            gh("issue", "close", issue, "--comment", "No claim is worse than it was any more.")
    elif issue is None:
        gh("label", "create", LABEL, "--force", "--description", "A claim's verdict changed")
        gh("issue", "create", "--title", TITLE, "--label", LABEL, "--body-file", str(file))
    else:
        gh("issue", "edit", issue, "--body-file", str(file))


def open_issue() -> str | None:
    """Return the number of the open issue, if there is one."""
    found = json.loads(gh("issue", "list", "--label", LABEL, "--state", "open", "--json", "number"))
    return str(found[0]["number"]) if found else None


def gh(*words: str) -> str:
    """Run GitHub's command-line client and return what it prints."""
    return subprocess.run(["gh", *words], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
