"""Records of verdicts made by hand, from the JSON data that users see."""

from __future__ import annotations

import json
from typing import Any

from claimbench.judging.record import Record

RECORD: dict[str, Any] = {
    "paper": "tiny",
    "claim": "holds",
    "headline": False,
    "kind": "exact",
    "fidelity": "exact",
    "tier": "smoke",
    "profile": "cpu",
    "method": None,
    "verdict": "reproduced",
    "reason": "3 of 3 seeds held; control rejected",
    "held": 3,
    "seeds": 3,
    "metrics": {"value": {"median": 1.5, "low": 1.25, "high": 1.75, "values": [1.25, 1.5, 1.75]}},
    "rule": "every",
    "max_seeds": 3,
    "deterministic": False,
    "share": [0.37, 1.0],
    "power": "3 seeds expose a share of failing seeds of 0.42 or more in 80 % of cases",
    "expect": {"value": {"at_least": 1.0}},
    "expect_text": {"value": "≥ 1"},
    "reported": {},
    "control": {"verdict": "diverged", "held": 0, "seeds": 1},
    "controls": [
        {
            "name": "quarter",
            "verdict": "diverged",
            "held": 0,
            "seeds": 1,
            "arguments": {"scale": 0.25},
            "metrics": {"value": {"median": 0.3, "low": 0.3, "high": 0.3, "values": [0.3]}},
        }
    ],
    "passes_with": None,
    "known": None,
    "known_verdict": None,
    "amended": 0,
    "run_key": "k" * 32,
    "spec_hash": "s" * 64,
    "started_at": "2026-01-01T00:00:00+00:00",
    "seconds": 3.0,
    "cpu_seconds": 2.5,
    "peak_mb": 100.0,
    "data": {"digits": {"version": "1998", "licence": "CC-BY-4.0", "sha256": "d" * 64}},
    "packages": {"numpy": "2.4.6"},
    "commit": "abc",
    "cpu": "CPU A",
    "judged_at": "2026-01-01T00:00:10+00:00",
    "standing": {},
    "chosen": {},
}


def make_record(**changes: Any) -> Record:
    """Return the record of a claim that holds, with some fields changed."""
    return Record.from_json(json.dumps({**RECORD, **changes}))
