"""Draw a command's real terminal output as an SVG: `picture.py OUT.svg COMMAND…`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100


def main() -> None:
    """Run the command and write what it printed."""
    target, command = Path(sys.argv[1]), sys.argv[2:]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": str(WIDTH)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    with open("/dev/null", "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        output = done.stdout.replace(str(Path.cwd()), "~/claimbench")
        console.print(Text.from_ansi(f"$ {' '.join(command)}\n{output}"))
    picture = console.export_svg(title="claimbench")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # no outside host
    target.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
