"""Writing a text file at once, or not at all."""

from pathlib import Path


def write_if_changed(path: Path, text: str) -> bool:
    """Write a file, its folders too, unless its content is that already; say whether it was.

    Who reads at the same time sees the old content or the new.
    """
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
    return True
