"""A small git repository with one paper, which tests edit and commit."""

import subprocess
from pathlib import Path

from claimbench.leaderboard.readmes import BEGIN, END
from claimbench.spec.history import read_history
from claimbench.spec.lineage import Lineage, Lineages
from claimbench.spec.marking import Finding, findings

CLAIMS = """\
paper: {title: On f, arxiv: "2401.00001", year: 2024, authors: [A], theme: t}
experiments:
  f:
    smoke: {steps: 7}
    standard: {steps: 70}
claims:
  - id: first
    statement: It holds.
    source: Sec. 1
    headline: true
    kind: number
    fidelity: exact
    experiment: f
    expect: {x: {between: [0.5, 2]}, y: {above: 0}}
    reported: {x: 1.5}
    controls: {without: {n: 0}, half: {n: 2}}
    seeds: {max: 12}
    amended: []
  - id: second
    statement: It holds too.
    source: Sec. 2
    kind: exact
    fidelity: exact
    experiment: f
    expect: {x: {at_most: 2}}
    controls: {without: {n: 0}}
    amended: []
"""

REPRODUCE = '''"""R."""
from claimbench import Run, experiment


@experiment
def f(run: Run, *, n: int = 4, steps: int = 30) -> dict[str, float]:
    """F."""
    return {"x": n, "y": steps}
'''

README = f"# On f\n{BEGIN}\n{END}\n"


def entry(fields: str, reason: str = "r") -> str:
    """Return an `amended` entry in flow style that names fields."""
    return f"{{date: 2026-12-01, fields: [{fields}], was: a, now: b, reason: {reason}}}"


class Repository:
    """A repository whose paper is committed once.

    Args:
        root: an empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.papers = root, root / "papers"
        self.folder = self.papers / "paper"
        self.folder.mkdir(parents=True)
        self.claims, self.reproduce = self.folder / "claims.yaml", self.folder / "reproduce.py"
        self.claims.write_text(CLAIMS, encoding="utf-8")
        self.reproduce.write_text(REPRODUCE, encoding="utf-8")
        (self.folder / "method.py").write_text('"""M."""\n', encoding="utf-8")
        (self.folder / "README.md").write_text(README, encoding="utf-8")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *words: str) -> str:
        """Run git in the repository and return what it prints."""
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        command = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        """Commit everything and return the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "m")
        return self.git("rev-parse", "HEAD")

    def edit(self, *edits: tuple[str, str]) -> None:
        """Replace texts in claims.yaml or else reproduce.py, each of which must stand in one."""
        for old, new in edits:
            files = [self.claims, self.reproduce]
            file = next(file for file in files if old in file.read_text(encoding="utf-8"))
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def amend(self, *entries: str) -> None:
        """Add entries to the first claim."""
        for text in entries:
            head, mark, tail = self.claims.read_text(encoding="utf-8").partition("amended: [")
            separator = "" if tail.startswith("]") else ", "
            self.claims.write_text(f"{head}{mark}{text}{separator}{tail}", encoding="utf-8")

    def lineage(self) -> Lineage:
        """Return the paper's versions."""
        return Lineages(read_history(self.papers), [self.folder]).of(self.folder.name)

    def findings(self) -> list[Finding]:
        """Return what is not marked."""
        return findings(self.lineage())

    def unmarked(self) -> list[tuple[str, str | None]]:
        """Return the claim and field of each thing that is not marked."""
        return [(finding.claim, finding.field) for finding in self.findings()]
