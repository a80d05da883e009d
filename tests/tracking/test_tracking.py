"""Trackers: real W&B offline, and one that fails."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from wandb.proto import wandb_internal_pb2

CODE = """
@experiment
def measured(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    run.curve("loss", [0.0, 1.0, 2.0], [3.0, 2.0, random.random()])
    return {"value": scale * (1 + random.random())}
"""


@pytest.fixture
def claimbench(tmp_path, monkeypatch, make_paper, run_claimbench):
    """Run `claimbench run` over one paper with two claims, without a key of W&B."""
    expect = {"value": {"at_least": 1}}
    make_paper(
        "tiny",
        code=CODE,
        claims=[
            {"id": "first", "experiment": "measured", "expect": expect},
            {"id": "second", "experiment": "measured", "expect": expect, "kind": "number"},
        ],
    )
    for name in [name for name in os.environ if "WANDB" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return run_claimbench


def records(folder: Path) -> list[Any]:
    """Return what W&B would send of an offline run.

    Its file is a log as LevelDB writes it: blocks of 32 KiB with a header of seven bytes in the
    first, and pieces of records, each with checksum, length and kind (whole, first, middle, last).
    """
    (file,) = folder.glob("*.wandb")
    data = file.read_bytes()
    found, parts, at = [], b"", 7
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768  # the rest of a block is too short for a piece
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            found.append(wandb_internal_pb2.Record.FromString(parts))  # type: ignore[attr-defined]
            parts = b""
    return found


def logged(folder: Path) -> tuple[Any, dict[str, list], dict[str, Any]]:
    """Return an offline run, its history by key, and its configuration."""
    history: dict[str, list] = {}
    run: Any = None
    for record in records(folder):
        if record.WhichOneof("record_type") == "history":
            for item in record.history.item:
                key = item.key or "/".join(item.nested_key)
                history.setdefault(key, []).append(json.loads(item.value_json))
        elif record.WhichOneof("record_type") == "run":
            run = record.run
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    return run, history, config


def test_wandb_offline_has_everything(claimbench, store_home):
    code, _, err = claimbench("tracker=wandb")
    assert code == 0, err
    assert f"send them: wandb sync {store_home / 'wandb'}" in err
    runs = [logged(folder) for folder in (store_home / "wandb").glob("offline-run-*")]
    by_name = {run.display_name: (run, history, config) for run, history, config in runs}
    assert sorted(by_name) == ["tiny::first", "tiny::second", "verdicts"]
    run, history, config = by_name["tiny::first"]
    assert run.run_group == "tiny"
    assert {"smoke", "cpu"} < set(run.tags)
    assert config["claim"]["claim"] == "first"
    assert config["run"]["tier"]["name"] == "smoke"
    assert history["seed"] == [0, 1, 2]
    assert all(1 <= value < 2 for value in history["value"])
    assert len(history["value"]) == 3
    (curves,) = history["curves_table/path"]
    file = next((store_home / "wandb").glob(f"offline-run-*/files/{curves}"))
    points = json.loads(file.read_text(encoding="utf-8"))["data"]
    assert points[:2] == [["loss, seed 0", 0, 3], ["loss, seed 0", 1, 2]]
    assert len(points) == 9
    (forest,) = history["plots/value/path"]
    svg = next((store_home / "wandb").glob(f"offline-run-*/files/{forest}"))
    assert "<svg" in svg.read_text(encoding="utf-8")
    _, verdicts, _ = by_name["verdicts"]
    (table,) = verdicts["verdicts/path"]
    file = next((store_home / "wandb").glob(f"offline-run-*/files/{table}"))
    rows = json.loads(file.read_text(encoding="utf-8"))["data"]
    assert [(row[1], row[2]) for row in rows] == [
        ("first", "reproduced"),
        ("second", "reproduced"),
    ]


FAILING = """
class Fails:
    def __init__(self, where):
        self.where = where
    def start(self, config, home):
        self.fail("start")
    def verdict(self, spec, result, store):
        self.fail("verdict")
    def finish(self, results):
        self.fail("finish")
    def fail(self, where):
        if where == self.where:
            raise RuntimeError(f"no luck at {where}")
"""


@pytest.mark.parametrize("where", ["start", "verdict", "finish"])
def test_a_failing_tracker_changes_no_verdict(claimbench, tmp_path, where):
    (tmp_path / "mine.py").write_text(FAILING, encoding="utf-8")
    _, expected, _ = claimbench()
    words = ("tracker._target_=mine.Fails", f"+tracker.where={where}")
    code, out, err = claimbench(*words, PYTHONPATH=str(tmp_path))
    assert code == 0
    assert out == expected
    assert err.count("the tracker Fails failed and is left out from here on") == 1
    assert f"no luck at {where}" in err
