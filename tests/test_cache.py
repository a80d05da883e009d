"""The parse cache: disposable, shared, never in the way."""

from pathlib import Path

from claimbench.cache import Cache, digest


def test_digest_depends_on_where_parts_end():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", b"c") == digest(b"ab", "c")


def test_value_is_found_by_another_process_after_close(tmp_path: Path):
    first = Cache(tmp_path)
    first.put("key", "value")
    first.close()
    assert Cache(tmp_path).get("key") == "value"


def test_value_is_found_before_it_is_written(tmp_path: Path):
    cache = Cache(tmp_path)
    cache.put("key", "value")
    assert cache.get("key") == "value"
    assert cache.get("other") is None


def test_broken_file_costs_the_cache_and_nothing_else(tmp_path: Path):
    (tmp_path / "cache.sqlite").write_bytes(b"no database" * 100)
    cache = Cache(tmp_path)
    cache.put("key", "value")
    assert cache.get("key") == "value"
    cache.close()


def test_folder_that_cannot_be_made_costs_the_cache_and_nothing_else(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    cache = Cache(tmp_path / "file" / "below")
    cache.put("key", "value")
    assert cache.get("key") == "value"
