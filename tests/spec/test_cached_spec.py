"""A spec that the cache has is read without YAML's parser."""

import subprocess
import sys

CODE = """
import sys
from pathlib import Path
from claimbench.cache import Cache
from claimbench.spec.load import load_spec
cache = Cache(Path(sys.argv[2]))
print(len(load_spec(Path(sys.argv[1]), cache).claims), "yaml" in sys.modules)
cache.close()
"""


def test_spec_from_the_cache_needs_no_parser(make_paper, tmp_path):
    folder = make_paper(claims=[{}, {"id": "again"}]).folder
    outputs = [
        subprocess.run(
            [sys.executable, "-c", CODE, folder, tmp_path / "cache"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert outputs == ["2 True\n", "2 False\n"]
