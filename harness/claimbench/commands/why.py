"""`claimbench why`: what the identity of a paper's runs is made of, and what changed."""

from argparse import ArgumentParser, Namespace
from typing import Any

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, add_examples, add_tier
from claimbench.home import home
from claimbench.identity.keys import Identity, run_identity
from claimbench.profiles import load_profile
from claimbench.running.store import Store
from claimbench.showing.output import line
from claimbench.spec.discovery import find_papers
from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paper", metavar="PAPER", help="slug or folder")
    add_tier(parser)
    add_examples(parser, "  claimbench why ademamix\n  claimbench why ademamix --tier standard")


def run(options: Namespace) -> int:
    """Print, for each experiment, its parts, and against what the store has: the same or what."""
    profile = load_profile(options.profile)
    cache, store = Cache(home()), Store(home())
    for folder in find_papers([options.paper]):
        spec = load_spec(folder, cache)
        for name, experiment in spec.experiments.items():
            arguments = experiment.arguments(options.tier)
            identity = run_identity(spec, name, arguments, profile=profile, cache=cache)
            _print(spec, identity, store)
    cache.close()
    store.close()
    return AS_EXPECTED


def _print(spec: Spec, identity: Identity, store: Store) -> None:
    line(f"{spec.slug} {identity.function}: run key {identity.key}")
    for name, value in identity.parts().items():
        line(f"  {name}: {value[:16] if name.startswith(('file', 'profile')) else value}")
    stored = sorted(store.runs(identity.key))
    if stored:
        line(f"  in the store: seeds {', '.join(str(index) for index in stored)}; they are reused")
        return
    changes = [
        differences(before, identity.parts())
        for before in store.identities(spec.slug, identity.function)
    ]
    if not changes:
        line("  not in the store: it never ran")
        return
    line("  not in the store; against the most similar run that is:")
    for text in min(changes, key=len):
        line(f"    {text}")


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return one line for each part that was added, removed or changed."""
    lines = [f"{name}: removed" for name in before if name not in now]
    for name, value in now.items():
        if name not in before:
            lines.append(f"{name}: added")
        elif before[name] != value:
            hidden = name.startswith(("file", "profile"))
            lines.append(f"{name}: changed" if hidden else f"{name}: {before[name]} → {value}")
    return lines
