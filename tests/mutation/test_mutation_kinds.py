"""Which mutants of names, updates, transposes, dtypes and counts a small function gives."""

import ast

import pytest

from claimbench.mutation.sites import KINDS, changes_of

HEAD = "import numpy as np\nimport torch\nfrom torch import nn\n\n"


def changed(source, kind):
    """Return the text of the file after each change of a kind."""
    raw = source.encode()
    texts = []
    for change in changes_of(raw):
        assert change.kind in KINDS
        if change.kind == kind:
            end = change.start + change.length
            after = raw[: change.start] + change.text.encode() + raw[end:]
            ast.parse(after)
            texts.append(after.decode())
    return texts


def bodies(kind, statement, parameters="self, x, y"):
    """Return what a statement in a function becomes."""
    head = f"{HEAD}def f({parameters}):\n    "
    return [text.removeprefix(head).rstrip("\n") for text in changed(f"{head}{statement}\n", kind)]


def lines(kind, source):
    """Return the line that differs, after each change."""
    before = source.splitlines()
    return [
        new.strip()
        for text in changed(source, kind)
        for old, new in zip(before, text.splitlines(), strict=True)
        if old != new
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("x -= y", ["pass", "x -= y; x -= y"]),
        ("x &= y", ["pass"]),
        ("x = f(x, y)", ["pass", "x = f(x, y); x = f(x, y)"]),
        ("x, y = f(x, y)", ["pass", "x, y = f(x, y); x, y = f(x, y)"]),
        ("x = torch.abs(x)", ["pass"]),
        ("x = y", []),
        ("z = x", []),
        ("self.x = y", ["pass"]),
        ("self.x = f(self.x)", ["pass", "self.x = f(self.x); self.x = f(self.x)"]),
        ("x['m'] = x['m'] * y", ["pass", "x['m'] = x['m'] * y; x['m'] = x['m'] * y"]),
        ("x.add_(y)", ["pass", "x.add_(y); x.add_(y)"]),
        ("x.copy_(y)", ["pass"]),
        ("x.data.lerp_(y, 0.1)", ["pass", "x.data.lerp_(y, 0.1); x.data.lerp_(y, 0.1)"]),
        ("torch._foreach_add_(x, y)", ["pass", "; ".join(["torch._foreach_add_(x, y)"] * 2)]),
        ("torch._foreach_zero_(x)", ["pass"]),
        ("nn.init.zeros_(x)", ["pass"]),
        ("x.step()", ["pass", "x.step(); x.step()"]),
        (
            "x.mul_(y).add_(2)",
            ["pass", "x.mul_(y).add_(2); x.mul_(y).add_(2)", "x.mul_(y)", "x.add_(2)"],
        ),
        ("return x.mul_(y)", ["return x"]),
        ("f(x)", []),
        (
            "x, y = y, x - y",
            ["pass", "x, y = y, x - y; x, y = y, x - y", "x, y = x, x - y", "x, y = y, y"],
        ),
        ("z, self.x = y, self.x - y", ["z, self.x = y, self.x"]),
    ],
)
def test_update_is_left_out_in_whole_or_in_part_or_made_twice(statement, expected):
    assert bodies("update", statement) == expected


def test_what_is_made_in_init_is_not_left_out():
    source = (
        "class A:\n    def __init__(self, x):\n        self.x = x\n        self.x = self.x + x\n"
    )
    assert changed(source, "update") == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return x.T + np.transpose(y)", ["return x + np.transpose(y)", "return x.T + y"]),
        ("return x.swapaxes(0, 1)", ["return x"]),
        ("return x @ y", ["return x.mT @ y", "return x @ y.mT", "return y @ x"]),
        (
            "return x.mT @ (x + y)",
            ["return x.mT @ (x + y).mT", "return (x + y) @ x.mT", "return x @ (x + y)"],
        ),
        ("return x @ x", ["return x.mT @ x", "return x @ x.mT"]),
        (
            "return 2 * x @ y.T",
            ["return (2 * x).mT @ y.T", "return y.T @ (2 * x)", "return 2 * x @ y"],
        ),
        ("return x.t", []),
    ],
)
def test_transpose_is_left_out_or_put_in_and_factors_change_places(statement, expected):
    assert bodies("transpose", statement) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return np.float64(x)", ["return np.float32(x)"]),
        ("return x.float64", []),
        ("return x.double()", ["return x"]),
        ("return x.float()", ["return x.bfloat16()"]),
        ("return x.to(y)", []),
        ("return x.to(torch.float64)", ["return x", "return x.to(torch.float32)"]),
        ("return x.astype('float64')", ["return x", 'return x.astype("float32")']),
        (
            "return torch.ones(3, dtype=torch.float64)",
            ["return torch.ones(3)", "return torch.ones(3, dtype=torch.float32)"],
        ),
        (
            "return torch.ones(3, dtype=torch.float32)",
            ["return torch.ones(3, dtype=torch.bfloat16)"],
        ),
        (
            "return torch.ones_like(x, dtype=torch.float32)",
            ["return torch.ones_like(x, dtype=torch.bfloat16)", "return torch.ones_like(x)"],
        ),
        ("return np.ones(3, dtype=np.float64)", ["return np.ones(3, dtype=np.float32)"]),
        ("return np.ones(3, dtype=float)", ['return np.ones(3, dtype="float32")']),
        (
            "return np.ones(3, dtype=np.float32)",
            ["return np.ones(3, dtype=np.float16)", "return np.ones(3)"],
        ),
        ("return np.ones(3, dtype=x.dtype)", ["return np.ones(3)"]),
        ("return np.ones(3, dtype=bool)", []),
    ],
)
def test_dtype_is_halved_or_left_out(statement, expected):
    assert bodies("dtype", statement) == expected


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("range(x)", ["range(x - 1)", "range(x + 1)"]),
        ("range(5)", ["range(4)", "range(6)"]),
        ("range(0)", ["range(-1)", "range(1)"]),
        ("range(2, x * y, 2)", ["range(2, x * y - 1, 2)", "range(2, x * y + 1, 2)"]),
        ("range(x if y else 2)", ["range((x if y else 2) - 1)", "range((x if y else 2) + 1)"]),
        ("range(*x)", []),
        (
            "lax.fori_loop(0, x, f, y)",
            ["lax.fori_loop(0, x - 1, f, y)", "lax.fori_loop(0, x + 1, f, y)"],
        ),
        ("arange(x)", []),
    ],
)
def test_loop_has_one_turn_fewer_or_more(loop, expected):
    assert bodies("loop", f"return {loop}") == [f"return {other}" for other in expected]


def test_parameters_with_the_same_annotation_are_exchanged_with_their_neighbours():
    source = (
        "def f(m: Tensor, g: Tensor, b1: float, b2: float, b3: float, n: int):\n"
        "    return g + b2 * n\n"
    )
    assert lines("name", source) == [
        "return m + b2 * n",
        "return g + b3 * n",
        "return g + b1 * n",
    ]


def test_names_of_a_tuple_and_variables_assigned_alike_are_exchanged():
    source = (
        "def f(x):\n"
        "    a, b = x\n"
        "    c = a - 1\n"
        "    d = a + 2\n"
        "    e = g(d)\n"
        "    for p, (q, r) in zip(c, d):\n"
        "        h(p, q)\n"
        "    for n, s in enumerate(x):\n"
        "        h(n, s)\n"
        "    return [u - 1 for u, v in e]\n"
    )
    assert lines("name", source) == [
        "c = b - 1",
        "d = b + 2",
        "e = g(c)",
        "for p, (q, r) in zip(d, d):",
        "for p, (q, r) in zip(c, c):",
        "h(p, r)",
        "return [v - 1 for u, v in e]",
    ]


def test_a_name_is_not_exchanged_for_one_that_is_assigned_later():
    source = "def f(x):\n    a = x - 1\n    b = a + 2\n    return a\n"
    assert lines("name", source) == ["return b"]


def test_fields_of_a_class_and_keys_of_a_mapping_are_exchanged():
    source = (
        "class C:\n"
        "    b1: float\n"
        "    b2: float\n"
        "    n: int\n"
        "class D:\n"
        "    def __init__(self, u: float, v: float, w: int):\n"
        "        self.u = u\n"
        "        self.v = v\n"
        "        self.w = w\n"
        "def f(c: C, s: dict):\n"
        "    s['m'] = c.b1 * s['v'] + c.n\n"
        "    return c.u * c.w\n"
    )
    assert lines("name", source) == [
        "self.u = v",
        "self.v = u",
        "s['m'] = c.b2 * s['v'] + c.n",
        "s['m'] = c.b1 * s['m'] + c.n",
        "return c.v * c.w",
    ]


def test_names_in_other_places_than_where_they_are_read_stay():
    source = "def f(x, y):\n    g(x=1, y=2)\n    lambda x: None\n    x.y = y.shape\n"
    assert lines("name", source) == ["y.y = y.shape"]


def test_key_of_what_is_unpacked_is_not_exchanged_for_that_of_a_number():
    source = (
        "def f(group):\n"
        "    a, b = group['betas']\n"
        "    for p in group['params']:\n"
        "        p.add_(group['lr'] + group['eps'] + a)\n"
    )
    assert [line for line in lines("name", source) if "group" in line] == [
        "a, b = group['params']",
        "for p in group['betas']:",
        "p.add_(group['eps'] + group['eps'] + a)",
        "p.add_(group['lr'] + group['lr'] + a)",
        "p.add_(group['lr'] + group['eps'] + b)",
    ]


def test_what_only_gives_its_shape_is_not_exchanged():
    source = "def f(x, y):\n    return zeros_like(x, dtype=y.dtype) + full_like(y, x)\n"
    assert lines("name", source) == ["return zeros_like(x, dtype=y.dtype) + full_like(y, y)"]
