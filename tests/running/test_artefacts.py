"""What several runs share: kept whole, read back as it was, built once, and seen by no draw."""

import random
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from claimbench.author import Choice
from claimbench.errors import AuthorError
from claimbench.running.artefacts import Absent, ArtefactStore, read, write
from claimbench.running.workers.execute import execute, load_function
from claimbench.running.workers.guard import Guard

CODE = '''
import numpy as np


@artefact(timeout=7)
def prior(run: Run, *, size: int = 2) -> dict[str, np.ndarray]:
    """Numbers from every generator."""
    note(f"{size} {run.seed}", "built.txt")
    return {
        "own": run.rng.random(size),
        "python": np.array([random.random() for _ in range(size)]),
        "numpy": np.random.random(size),  # noqa: NPY002  the global generator is what is tested
    }


@artefact
def breaks(run: Run) -> float:
    raise ValueError("cannot be built")


@artefact
def wrong(run: Run) -> object:
    return {1, 2}


@artefact
def total(run: Run) -> float:
    return float(run.artefact(prior)["own"].sum())


@artefact
def tuned(run: Run, *, rate: float = 0.3) -> float:
    note("tuned", "tuned.txt")
    run.chosen("SGD", grid={"lr": [0.1, 0.3, 1.0]}, lr=rate)
    return rate


@artefact
def start(run: Run) -> float:
    """An artefact on top of what is tuned, which chooses something itself."""
    run.chosen("warm-up", grid={"steps": [5, 10]}, steps=5)
    return run.artefact(tuned, rate=0.3) / 2


@experiment
def trained(run: Run, *, other: float = 0.3) -> dict[str, float]:
    run.chosen("Adam", grid={"beta1": [0.8, 0.9]}, beta1=0.9)
    value = run.artefact(start)
    run.artefact(tuned, rate=other)
    return {"value": value}


@experiment
def draws(run: Run, *, ask: bool = True) -> dict[str, float]:
    if ask:
        run.artefact(prior)
    return {
        "python": random.random(),
        "numpy": np.random.random(),  # noqa: NPY002  the global generator is what is tested
        "own": run.rng.random(),
    }
'''


@pytest.fixture
def paper(make_paper):
    """A paper with artefacts."""
    return make_paper(
        code=CODE, claims=[{"experiment": "draws", "controls": {"without": {"ask": False}}}]
    )


class Host:
    """What a run of an artefact may ask; it notes when building begins and ends."""

    def __init__(self, job):
        self.events: list[tuple[str, float | None]] = []
        self.store = ArtefactStore(job, self, lambda *event: self.events.append(event))

    def progress(self, done, total):
        """Nobody looks."""

    def artefact(self, function, arguments):
        """See `claimbench.author.Host`."""
        return self.store.get(function, arguments)


@pytest.mark.parametrize(
    "value", [1.5, None, "text", [1, [2.0, "x"]], {"a": {"b": [True, None]}}, {}, []]
)
def test_json_value_comes_back(tmp_path, value):
    write(tmp_path / "kept", value, "prior")
    assert read(tmp_path / "kept")[0] == value
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool", "complex64"])
def test_numpy_arrays_come_back(tmp_path, dtype):
    arrays = {"a": np.arange(6).reshape(2, 3).astype(dtype), "scalar": np.asarray(1, dtype)}
    write(tmp_path / "kept", arrays, "prior")
    back = read(tmp_path / "kept")[0]
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_jax_arrays_come_back_as_numpy(tmp_path):
    write(tmp_path / "kept", {"a": jnp.arange(3.0), "b": np.ones(2)}, "prior")
    back = read(tmp_path / "kept")[0]
    assert type(back["a"]) is np.ndarray
    np.testing.assert_array_equal(back["a"], [0, 1, 2])
    np.testing.assert_array_equal(back["b"], [1, 1])


def test_torch_tensors_come_back_without_their_graph(tmp_path):
    weights = torch.arange(6.0, dtype=torch.float64, requires_grad=True)
    tied = torch.ones(2, dtype=torch.bfloat16)
    tensors = {"turned": weights.reshape(2, 3).T, "half": tied, "tied": tied}
    write(tmp_path / "kept", tensors, "prior")
    back = read(tmp_path / "kept")[0]
    assert not back["turned"].requires_grad
    assert torch.equal(back["turned"], tensors["turned"])
    assert back["half"].dtype == back["tied"].dtype == torch.bfloat16


@pytest.mark.parametrize(
    "value", [{1, 2}, object(), {"a": torch.ones(1), "b": np.ones(1)}, {"a": object()}, b"bytes"]
)
def test_value_that_cannot_be_kept_is_refused_and_leaves_nothing(tmp_path, value):
    with pytest.raises(AuthorError, match=r"artefact `prior` gave .*; return JSON data or a dict"):
        write(tmp_path / "kept", value, "prior")
    assert list(tmp_path.iterdir()) == []


def test_built_once_then_read_by_every_run(paper, make_job, store_home):
    first, second = Host(make_job(paper, "draws", 0)), Host(make_job(paper, "draws", 1))
    prior = load_function(paper.folder, "prior", "artefact")
    values = [host.artefact(prior, {})[0] for host in (first, second, first)]
    for value in values[1:]:
        np.testing.assert_array_equal(value["own"], values[0]["own"])
        np.testing.assert_array_equal(value["python"], values[0]["python"])
        np.testing.assert_array_equal(value["numpy"], values[0]["numpy"])
    assert len(paper.runs("built.txt")) == 1
    assert first.events == [("prior", 7.0), ("prior", None)]
    assert second.events == []
    assert all("new" not in path.name for path in (store_home / "artefacts").iterdir())


@pytest.mark.parametrize("change", ["arguments", "precision", "profile"])
def test_built_again_for_what_it_depends_on(paper, make_job, change):
    job = make_job(paper, "draws")
    prior = load_function(paper.folder, "prior", "artefact")
    Host(job).artefact(prior, {})
    arguments = {"size": 3} if change == "arguments" else {}
    job = {
        "arguments": job,
        "precision": replace(job, precision="float64"),
        "profile": replace(job, profile=replace(job.profile, threads=2)),
    }[change]
    Host(job).artefact(prior, arguments)
    lines = paper.runs("built.txt")
    assert len(lines) == 2
    assert lines[0].split()[1] == lines[1].split()[1], "the seed depends on the name alone"


def carried_out(job, host):
    return execute(job, host, Guard(job, (job.home,), ()))


def test_run_draws_the_same_whether_the_artefact_was_built_or_read(paper, make_job):
    host = Host(make_job(paper, "draws"))
    built = carried_out(make_job(paper, "draws"), host).metrics
    read_back = carried_out(make_job(paper, "draws"), host).metrics
    without = carried_out(make_job(paper, "draws", ask=False), host).metrics
    assert paper.runs("built.txt") != []
    assert built == read_back == without


def test_builder_sees_its_own_seed_in_every_generator(paper, make_job):
    prior = load_function(paper.folder, "prior", "artefact")
    random.seed(1)
    value, _ = Host(make_job(paper, "draws", 1)).artefact(prior, {})
    seed = int(paper.runs("built.txt")[0].split()[1])
    random.seed(seed)
    np.testing.assert_array_equal(value["python"], [random.random(), random.random()])
    np.testing.assert_array_equal(value["own"], np.random.default_rng(seed).random(2))
    np.testing.assert_array_equal(value["numpy"], np.random.RandomState(seed).random(2))


def test_artefact_may_ask_for_another(paper, make_job):
    host = Host(make_job(paper, "draws"))
    total = load_function(paper.folder, "total", "artefact")
    prior = load_function(paper.folder, "prior", "artefact")
    assert host.artefact(total, {})[0] == host.artefact(prior, {})[0]["own"].sum()
    assert [name for name, _ in host.events] == ["total", "prior", "prior", "total"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("breaks", ValueError, "cannot be built"),
        ("wrong", AuthorError, "artefact `wrong` gave set: "),
    ],
)
def test_failed_building_ends_the_clock_and_can_be_tried_again(
    paper, make_job, store_home, name, error, message
):
    host = Host(make_job(paper, "draws"))
    function = load_function(paper.folder, name, "artefact")
    for _ in range(2):
        with pytest.raises(error, match=message):
            host.artefact(function, {})
    assert host.events == [(name, 600.0), (name, None)] * 2
    assert [path for path in (store_home / "artefacts").iterdir() if path.is_dir()] == []


GRID = {"lr": [0.1, 0.3, 1.0]}
TUNED: Choice = {"setting": {"lr": 0.3}, "grid": GRID, "at_end": []}


def test_what_an_artefact_chose_is_chosen_in_every_run_that_uses_it(paper, make_job):
    outcomes = []
    for index in (0, 1):
        job = make_job(paper, "trained", index)
        outcomes.append(carried_out(job, Host(job)))
    assert paper.runs("tuned.txt") == ["tuned"]
    for outcome in outcomes:
        assert outcome.failure is None
        assert outcome.chosen == {
            "Adam": {"setting": {"beta1": 0.9}, "grid": {"beta1": [0.8, 0.9]}, "at_end": ["beta1"]},
            "SGD": TUNED,
            "warm-up": {"setting": {"steps": 5}, "grid": {"steps": [5, 10]}, "at_end": ["steps"]},
        }


def test_artefacts_that_chose_otherwise_under_one_name_are_an_error(paper, make_job):
    job = make_job(paper, "trained", other=1.0)
    outcome = carried_out(job, Host(job))
    assert outcome.failure is not None
    assert outcome.failure.message == (
        f"AuthorError: run.chosen `SGD`: chosen twice, first lr = 0.3 of {GRID}, then "
        f"lr = 1.0 of {GRID}; give each a name of its own"
    )


@pytest.mark.parametrize("text", [None, "{", "[]", '{"SGD": {"setting": {}}}'])
def test_artefact_without_what_was_chosen_is_built_again(tmp_path, text):
    write(tmp_path / "kept", 1.5, "prior", {"SGD": TUNED})
    assert read(tmp_path / "kept") == (1.5, {"SGD": TUNED})
    if text is None:
        (tmp_path / "kept" / "chosen.json").unlink()
    else:
        (tmp_path / "kept" / "chosen.json").write_text(text, encoding="utf-8")
    with pytest.raises(Absent):
        read(tmp_path / "kept")
