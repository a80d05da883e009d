"""Zachary's karate club."""

from __future__ import annotations

from . import DataSet, Examples, Source


def _read_karate() -> Examples:
    import networkx as nx
    import numpy as np

    graph = nx.karate_club_graph()
    adjacency = nx.to_numpy_array(graph, nodelist=range(34), weight=None).astype(np.float64)
    clubs = [graph.nodes[node]["club"] != "Mr. Hi" for node in range(34)]
    return Examples(adjacency, np.array(clubs, dtype=np.int64))


# 34 members of a club and their 78 friendships. Inputs (34, 34): the adjacency matrix, 0 or 1.
# Targets (34,): whom a member followed when the club split, 0 the instructor, 1 the officer.
karate = DataSet(
    name="karate",
    version="1977",
    licence="LicenseRef-unstated",
    source=(
        "Zachary 1977, An Information Flow Model for Conflict and Fission in Small Groups, Journal "
        "of Anthropological Research 33; as bundled with networkx"
    ),
    sha256="f29261f9d1b83bfe7901a037d21cac598a52e807b560567bba182648b2b94401",
    sources=(Source("networkx", "pip install 'claimbench[papers]'", _read_karate),),
)
