"""The mammals of WordNet, as pairs of a synset and an ancestor."""

from __future__ import annotations

from pathlib import Path

from . import DataSet, Examples, Source

_NOUNS = Path("/usr/share/wordnet/data.noun")
_MAMMAL = 1861778  # offset of the synset mammal.n.01 in the file


def _hypernyms() -> dict[int, list[int]]:
    """Return each noun synset's direct hypernyms (pointers `@` and `@i`), see wndb(5WN)."""
    found = {}
    for line in _NOUNS.read_text(encoding="ascii").splitlines():
        if line.startswith("  "):
            continue  # the licence
        fields = line.split(" | ")[0].split()
        words = int(fields[3], 16)
        pointers = fields[4 + 2 * words + 1 :]
        count = int(fields[4 + 2 * words])
        found[int(fields[0])] = [
            int(pointers[4 * i + 1]) for i in range(count) if pointers[4 * i] in ("@", "@i")
        ]
    return found


def _distances(start: int, neighbours: dict[int, list[int]]) -> dict[int, int]:
    """Return the fewest steps from a synset to itself and each that can be reached."""
    found: dict[int, int] = {}
    ring, steps = {start}, 0
    while ring:
        found |= dict.fromkeys(ring, steps)
        ring = {n for one in ring for n in neighbours.get(one, ())} - found.keys()
        steps += 1
    return found


def _read_wordnet_mammals() -> Examples:
    import numpy as np

    hypernyms = _hypernyms()
    hyponyms: dict[int, list[int]] = {}
    for synset, ups in hypernyms.items():
        for up in ups:
            hyponyms.setdefault(up, []).append(synset)
    mammals = _distances(_MAMMAL, hyponyms).keys()
    pairs = {
        (low, up): steps
        for low in mammals
        for up, steps in _distances(low, hypernyms).items()
        if steps and up in mammals
    }
    inside = sorted(pairs)
    index = {synset: i for i, synset in enumerate(sorted(mammals))}
    inputs = np.array([[index[low], index[up]] for low, up in inside], dtype=np.int64)
    return Examples(inputs, np.array([pairs[pair] for pair in inside], dtype=np.int64))


# The transitive closure of hypernymy among WordNet 3.0's mammals. Inputs (pairs, 2), int64: a
# synset and one of its ancestors, as indices into the mammals sorted by file offset. Targets
# (pairs,): the fewest steps from one to the other.
wordnet_mammals = DataSet(
    name="wordnet_mammals",
    version="3.0",
    licence="WordNet-3.0",
    source="Princeton University, WordNet 3.0; Debian's package wordnet-base",
    sha256="f38277934c5112701d735864593a4cc3c79801abf1c5fcc8663f959983300327",
    sources=(Source(str(_NOUNS), "sudo apt install wordnet-base", _read_wordnet_mammals),),
)
