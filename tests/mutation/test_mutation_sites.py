"""What of a file may be changed, into what, and what is left alone."""

import ast

import pytest

from claimbench.mutation.sites import MODULE, changes_of


def changed(source, kind=None):
    """Return the text of the file after each change, of one kind if one is named."""
    raw = source.encode()
    texts = []
    for change in changes_of(raw):
        after = raw[: change.start] + change.text.encode() + raw[change.start + change.length :]
        ast.parse(after)
        if kind in (None, change.kind):
            texts.append(after.decode())
    return texts


def bodies(statement, kind=None, parameters="x, y"):
    """Return what a statement in a function becomes."""
    head = f"def f({parameters}):\n    "
    return [text.removeprefix(head).rstrip("\n") for text in changed(f"{head}{statement}\n", kind)]


@pytest.mark.parametrize(
    ("kind", "statement", "expected"),
    [
        ("arithmetic", "return x + y", ["return x - y"]),
        ("arithmetic", "return x / y", ["return x * y"]),
        ("arithmetic", "return x // y", ["return (x * y)"]),
        ("arithmetic", "return x**y", ["return (x*y)"]),
        ("arithmetic", "return x / y**x", ["return x * y**x", "return x / (y*x)"]),
        ("arithmetic", "return x & y", ["return (x | y)"]),
        ("arithmetic", "return x @ y", []),
        ("arithmetic", "return (x + y) * y", ["return (x + y) / y", "return (x - y) * y"]),
        ("arithmetic", "x += y", ["x -= y"]),
        ("arithmetic", "x *= y", ["x /= y"]),
        ("arithmetic", "return 'a' + x", []),
        ("comparison", "return x < y", ["return x <= y", "return x > y"]),
        ("comparison", "return x >= y", ["return x > y", "return x <= y"]),
        ("comparison", "return x is None", ["return x is not None"]),
        ("comparison", "return x not in y", ["return x in y"]),
        (
            "comparison",
            "return 0 < x == y",
            ["return 0 <= x == y", "return 0 > x == y", "return 0 < x != y"],
        ),
        ("sign", "return -x", ["return x"]),
        ("sign", "return x * y", ["return -(x * y)"]),
        ("sign", "x = (x @ y)", ["x = (-(x @ y))"]),
        ("sign", "return f(x, alpha=1 / y)", ["return f(x, alpha=-(1 / y))"]),
        ("sign", "return f(x)", []),
        ("constant", "return 3", ["return 6"]),
        ("constant", "return 0", ["return 1"]),
        ("constant", "return 1", ["return 2", "return 0"]),
        ("constant", "return 0.5", ["return 1.0"]),
        ("constant", "return 0.0", ["return 1.0"]),
        ("constant", "return 1e-8", ["return 2e-08"]),
        ("constant", "return f(x, keep=True)", ["return f(x, keep=False)"]),
        ("constant", "return x[0]", []),
        ("index", "return x[0]", ["return x[1]"]),
        ("index", "return x[..., -1]", ["return x[..., -2]"]),
        ("index", "return x[1:-1]", ["return x[2:-1]", "return x[1:-2]"]),
        ("index", "return x['m']", []),
        ("index", "return x.sum(axis=0)", ["return x.sum(axis=1)"]),
        ("index", "return x.sum(dim=-1)", ["return x.sum(dim=-2)"]),
        ("argument", "return f(x, y)", ["return f(y, x)"]),
        ("argument", "return f(x, y, x)", ["return f(y, x, x)", "return f(x, x, y)"]),
        ("argument", "return f(x, x)", []),
        ("argument", "return f(x, 2)", []),
        ("argument", "return f(1, 2)", ["return f(2, 1)"]),
        ("argument", "return min(x, y)", []),
        ("argument", "return f(x, k=y)", []),
        ("condition", "return x if y else 0", ["return x if not y else 0"]),
        ("condition", "return x if not y else 0", ["return x if y else 0"]),
        ("condition", "return [z for z in x if z < y]", ["return [z for z in x if not (z < y)]"]),
        ("condition", "return x and y", ["return (x or y)"]),
        ("condition", "return x if y is None else 0", []),
        ("statement", "f(x)", ["pass"]),
        ("statement", "x = y", ["pass"]),
        ("statement", "x += y", []),
        ("statement", "z = y", []),
        ("statement", "return x", []),
    ],
)
def test_change(kind, statement, expected):
    assert bodies(statement, kind) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A module: 1 + 2."""\n',
        "import os\nfrom math import exp\n",
        "def f(x=0.9, *, y: int = 1 + 2) -> dict[str, 3]:\n    return x\n",
        "class A:\n    beta: float = 0.9\n    other = 1 + 2\n",
        'def f(x):\n    """Return 1 + 2."""\n    return x\n',
        "@g(1 + 2)\ndef f(x):\n    return x\n",
        "def f(x):\n    if x < 0:\n        raise ValueError(f'{x - 1}')\n    return x\n",
        "def f(x):\n    if x < 0:\n        text = 1 + 2\n        raise ValueError(text)\n",
        "def f(x):\n    for y in x[0]:\n        if y < 0:\n            raise ValueError\n",
        "def f(x):\n    assert x > 0\n",
        "def g(x):\n    if x < 0:\n        raise ValueError\n\ndef f(x):\n    g(x[0])\n",
        "def f(x):\n    return [a for a in zip(x, x, strict=True)]\n",
        "def f(x):\n    y: int = x\n    return y\n",
        "def f(x):\n    return f'{x + 1}'\n",
        "class A:\n    def __repr__(self):\n        return self.x[0] + 1\n",
        "class A:\n    def load_state_dict(self, x):\n        self.x = x[0] + 1\n",
        "class A:\n    def __init__(self, x):\n        super().__init__(x, self)\n",
        "def f(x):\n    warnings.warn(x, x[0] + 1)\n    return x\n",
        "def f(x):\n    return isinstance(x[0], x)\n",
        "ONLY_A_DEFAULT = 0.9\n\ndef f(x=ONLY_A_DEFAULT):\n    return x\n",
        "if TYPE_CHECKING:\n    X = 3\n\ndef f():\n    return X\n",
    ],
)
def test_nothing_to_change(source):
    assert changed(source) == []


def test_what_follows_a_guard_is_changed():
    source = "def f(x):\n    if x < 0:\n        raise ValueError\n    else:\n        x += 1\n"
    kinds = sorted(change.kind for change in changes_of(source.encode()))
    assert kinds == ["arithmetic", "constant", "constant", "update", "update"]


def test_constant_that_a_function_uses_is_changed():
    source = "ETA = 0.5\n\ndef f(x):\n    return ETA\n"
    (change,) = changes_of(source.encode())
    assert (change.kind, change.function, change.text) == ("constant", MODULE, "1.0")


def test_functions_have_dotted_names():
    source = "class A:\n    def f(self, x):\n        def g(y):\n            return -y\n"
    (change,) = changes_of(source.encode())
    assert (change.function, change.line) == ("A.f.g", 4)


def test_text_outside_ascii_moves_nothing():
    (text,) = changed("def f(x):\n    'β λ ∇ …'\n    η = x  # ε\n    return -η\n")
    assert text == "def f(x):\n    'β λ ∇ …'\n    η = x  # ε\n    return η\n"


def test_indentation_and_comments_of_a_long_expression_stay():
    source = "def f(x):\n    return g(\n        x,  # a\n        -x,\n    )\n"
    swapped = "def f(x):\n    return g(\n        -x,  # a\n        x,\n    )\n"
    assert changed(source, "argument") == [swapped]


def test_statement_is_dropped_and_its_comment_stays():
    source = "def f(x):\n    if x:\n        x.add_(\n            2,\n        )  # why\n"
    assert "def f(x):\n    if x:\n        pass  # why\n" in changed(source, "update")
