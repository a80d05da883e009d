"""Which functions of the method an experiment can reach."""

from claimbench.mutation.reach import is_reached, reachable

METHOD = """
USED = start()

def start(): ...

class Rule:
    def step(self):
        return helper(self)

def helper(x):
    return x.deep()

def deep(): ...

def lonely(): ...
"""
REPRODUCE = """
from .method import Rule, lonely

def one(run):
    return Rule().step()

def two(run):
    return lonely()
"""


def test_names_are_followed_through_files_classes_and_attributes(tmp_path):
    (tmp_path / "method.py").write_text(METHOD, encoding="utf-8")
    (tmp_path / "reproduce.py").write_text(REPRODUCE, encoding="utf-8")
    files = [tmp_path / "method.py", tmp_path / "reproduce.py"]
    assert reachable(files, ["one"]) == {"one", "start", "Rule", "helper", "deep"}
    assert reachable(files, ["two"]) == {"two", "start", "lonely"}


def test_method_of_a_class_is_reached_with_it_and_the_top_always():
    assert is_reached("Rule.step", {"Rule"})
    assert not is_reached("Ruler.step", {"Rule"})
    assert is_reached("(module)", set())
