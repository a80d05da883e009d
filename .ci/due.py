"""Print the papers whose mutants are tried in a night: `due.py NIGHT`."""

import sys

from claimbench.leaderboard.mutation import due
from claimbench.spec.discovery import paper_folders, papers_root

sys.stdout.writelines(
    f"{slug}\n" for slug in due([f.name for f in paper_folders(papers_root())], int(sys.argv[1]))
)
