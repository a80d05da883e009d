"""Writes claims.schema.json, the JSON Schema of claims.yaml, for editors.

python -m claimbench.spec.schema
"""

import json
from pathlib import Path

from claimbench.spec.models import ClaimsFile

PATH = Path(__file__).with_name("claims.schema.json")


def schema() -> str:
    """Return the JSON Schema (2020-12) of claims.yaml as text."""
    content = ClaimsFile.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return (
        json.dumps({**head, **content, "title": "claims.yaml"}, indent=1, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    PATH.write_text(schema(), encoding="utf-8")
