"""`claimbench new`: a paper folder that passes `check` and runs at once."""

from __future__ import annotations

import datetime
import re
from argparse import ArgumentParser, Namespace
from importlib.resources import files
from string import Template

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, add_examples
from claimbench.errors import UsageError
from claimbench.showing.output import line
from claimbench.spec.discovery import project_papers
from claimbench.spec.load import load_spec

FILES = ("claims.yaml", "method.py", "reproduce.py", "README.md")

_SLUG = re.compile(r"[a-z][a-z0-9_]*")
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_THEME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("slug", metavar="SLUG", help="name of the folder, such as my_paper")
    parser.add_argument("--arxiv", metavar="ID", help="arXiv id of the paper, such as 2409.03137")
    parser.add_argument("--title", metavar="TEXT", help="title of the paper")
    parser.add_argument(
        "--theme", default="unsorted", metavar="WORDS", help="see claimbench list for those in use"
    )
    add_examples(
        parser, "  claimbench new my_paper --arxiv 2409.03137 --theme stochastic-optimizers"
    )


def run(options: Namespace) -> int:
    """Write the folder, check it, and say what comes next.

    Raises:
        UsageError: slug, id or theme are not of the right form, or the folder is there.
    """
    slug, arxiv, theme = options.slug, options.arxiv, options.theme
    if not _SLUG.fullmatch(slug):
        raise UsageError(f"`{slug}`: a slug has lower-case letters, digits and underscores")
    if arxiv is not None and not _ARXIV.fullmatch(arxiv):
        raise UsageError(f"--arxiv {arxiv}: an id looks like 2409.03137, without a version")
    if not _THEME.fullmatch(theme):
        raise UsageError(f"--theme {theme}: words in lower case, joined by hyphens")
    folder = project_papers() / slug
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another slug, or remove it")
    name = options.title or f"The title of {slug}"
    values = {
        "title": name.replace("\\", "\\\\").replace('"', '\\"'),
        "reference": f'  arxiv: "{arxiv}"' if arxiv else "  url: https://example.org/the-paper",
        "where": f"arXiv {arxiv}" if arxiv else "where it was published",
        "year": f"20{arxiv[:2]}" if arxiv else str(datetime.date.today().year),
        "authors": '"First Author", "Second Author"',
        "theme": theme,
    }
    folder.mkdir(parents=True)
    for file in FILES:
        template = files("claimbench.scaffold").joinpath(f"{file}.txt").read_text("utf-8")
        text = Template(template).substitute(values)
        (folder / file).write_text(text, encoding="utf-8")
    load_spec(folder, Cache(None))
    line(f"wrote {', '.join(FILES)} in {folder}; it runs as it is:")
    line(f"  pytest {folder}                 three claims, with their controls")
    line("then, claims before results:")
    line(f"  1. {folder / 'claims.yaml'}: what the paper claims; commit it before the first run")
    line(f"  2. {folder / 'method.py'} and {folder / 'reproduce.py'}")
    line(f"  3. claimbench check {slug}      every mistake with file, line and remedy")
    line(f"  4. claimbench mutate {slug}     do the claims notice a wrong method?")
    return AS_EXPECTED
