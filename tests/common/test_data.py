"""Data sets: what is shipped, and what is said where it is not there."""

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import datasets
import numpy as np
import pytest
from PIL import Image

from common.data import DataSet, Examples, Source, checksum, load, load_dataset
from common.data.digits import digits
from common.data.fashion_mnist import fashion_mnist
from common.data.kjv import kjv
from common.data.mnist5k import mnist5k
from common.data.wordnet_mammals import wordnet_mammals


def debian(data_set: DataSet) -> pytest.MarkDecorator:
    """Skip where the Debian package is not installed; everything from pip must be there."""
    return pytest.mark.skipif(data_set.missing() is not None, reason=f"{data_set.missing()}")


def test_digits_as_published():
    images, labels = load("digits")
    assert images.shape == (1797, 64)
    assert images.dtype == np.float64
    assert (images.min(), images.max()) == (0, 16)
    assert images[0, :8].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[:10].tolist() == list(range(10))
    # class sizes as in the repository's optdigits.names, testing part
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_kjv_is_the_whole_text():
    codes, following = load("kjv")
    assert codes.dtype == following.dtype == np.uint8
    assert np.array_equal(codes[1:], following[:-1])
    text = bytes(codes) + bytes(following[-1:])
    assert text.startswith(b"In the beginning God created the heaven and the earth. And the earth")
    assert text.endswith(b"The grace of our Lord Jesus Christ [be] with you all. Amen.")
    assert b"\nAnd God said, Let there be light: and there was light. And God saw" in text
    assert b"Jesus wept." in text
    assert b"Caesar's" in text  # shipped with a ligature and a curly apostrophe
    assert len(text) == 4_181_997


def test_mnist5k_has_500_of_each_digit():
    images, labels = load("mnist5k")
    assert images.shape == (5000, 784)
    assert images.dtype == np.uint8
    assert images.max() == 255
    assert np.bincount(labels).tolist() == [500] * 10
    # a zero has ink around an empty middle, a one has its ink in the middle
    middle = images.reshape(-1, 28, 28)[:, 12:16, 12:16].mean(axis=(1, 2))
    assert middle[labels == 0].mean() < 40 < 150 < middle[labels == 1].mean()


@debian(fashion_mnist)
def test_fashion_mnist_splits():
    images, labels = load("fashion_mnist")
    assert images.shape == (70_000, 784)
    assert images.dtype == np.uint8
    assert np.bincount(labels[:60_000]).tolist() == [6000] * 10
    assert np.bincount(labels[60_000:]).tolist() == [1000] * 10
    assert labels[:5].tolist() == [9, 0, 0, 3, 0]  # ankle boot, T-shirt, …


@debian(wordnet_mammals)
def test_wordnet_mammals_are_a_transitive_closure():
    pairs, steps = load("wordnet_mammals")
    assert (pairs.shape, steps.shape) == ((6542, 2), (6542,))
    size = pairs.max() + 1
    above = np.zeros((size, size))  # counts, in a type whose products are quick
    above[pairs[:, 0], pairs[:, 1]] = 1
    assert not np.any(np.diag(above))
    assert not np.any((above @ above > 0) & (above == 0))
    # one root, the mammal, with all others below it; direct hypernyms are one step away
    assert np.sum(above.sum(axis=1) == 0) == 1
    assert above.sum(axis=0).max() == size - 1
    direct = (above == 1) & (above @ above == 0)
    assert np.all(direct[tuple(pairs[steps > 1].T)] == 0)
    assert np.all(steps[direct[tuple(pairs.T)]] == 1)


@pytest.mark.parametrize("data_set", [digits, kjv, mnist5k])
def test_data_sets_are_not_missing(data_set: DataSet):
    assert data_set.missing() is None


def test_missing_names_the_command():
    assert made_up(package("no_such_module")).missing() == (
        "data set `made_up` needs no_such_module; run: pip install no_such_module"
    )
    assert made_up(
        Source("/no/such/folder", "sudo apt install it", lambda: EXAMPLES)
    ).missing() == ("data set `made_up` needs /no/such/folder; run: sudo apt install it")


def test_another_copy_is_refused():
    images, labels = load("digits")
    images = images.copy()
    images[3, 5] += 1
    source = dataclasses.replace(digits.sources[0], read=lambda: Examples(images, labels))
    altered = dataclasses.replace(digits, sources=(source,))
    with pytest.raises(ValueError, match=r"this copy has sha256 [0-9a-f]{64}, expected f6d9e39f"):
        altered.load()


def test_checksum_sees_inputs_targets_and_order():
    examples = load("digits")
    swapped = examples._replace(targets=examples.targets[::-1].copy())
    moved = examples._replace(inputs=examples.inputs[:, ::-1].copy())
    assert len({checksum(examples), checksum(swapped), checksum(moved)}) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "unknown data set `digit`; did you mean `digits`?"),
        (
            "zzz",
            "unknown data set `zzz`; known: breast_cancer, diabetes, digits, fashion_mnist, "
            "karate, kjv, mnist1d, mnist5k, skimage_astronaut, skimage_grey, wine, wordnet_mammals",
        ),
    ],
)
def test_unknown_name(name: str, message: str):
    with pytest.raises(ValueError, match="unknown") as error:
        load(name)
    assert str(error.value) == message


def test_import_is_light():
    heavy = ["torch", "sklearn", "pythonbible", "datasets", "skimage", "networkx", "mnist1d"]
    code = f"import common.data, sys; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_tables_of_scikit_learn_as_published():
    tumours, benign = load("breast_cancer")
    assert tumours.shape == (569, 30)
    assert np.bincount(benign).tolist() == [212, 357]  # malignant, benign
    wines, cultivars = load("wine")
    assert wines.shape == (178, 13)
    assert np.bincount(cultivars).tolist() == [59, 71, 48]
    patients, progression = load("diabetes")
    assert patients.shape == (442, 10)
    assert patients[0, :4].tolist() == [59.0, 2.0, 32.1, 101.0]  # as measured, not scaled
    assert (progression.min(), progression.max()) == (25, 346)


def test_mnist1d_is_standardised_and_leaves_the_global_generator_alone():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.RandomState(3).rand()
    signals, labels = load("mnist1d")
    assert np.random.rand() == expected  # noqa: NPY002
    assert signals.shape == (5000, 40)
    assert signals.mean() == pytest.approx(0, abs=1e-3)
    assert signals.std() == pytest.approx(1, abs=1e-3)
    assert np.bincount(labels).tolist() == [500] * 10


def test_pictures():
    grey, numbers = load("skimage_grey")
    assert grey.shape == (5, 512 * 512)
    assert numbers.tolist() == [0, 1, 2, 3, 4]
    assert grey.reshape(5, 512, 512)[0, 0, :3].tolist() == [200, 200, 200]  # the sky
    astronaut, _ = load("skimage_astronaut")
    assert astronaut.shape == (1, 512 * 512 * 3)


def test_karate_club_split():
    friends, clubs = load("karate")
    assert friends.sum() == 2 * 78
    assert np.array_equal(friends, friends.T)
    assert np.bincount(clubs).tolist() == [17, 17]
    assert (clubs[0], clubs[33]) == (0, 1)  # instructor and officer


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax"])
def test_hugging_face_objects_hold_the_same_numbers(kind):
    data = load_dataset("wine").with_format(kind)
    wines, cultivars = load("wine")
    assert data.column_names == ["inputs", "targets"]
    first = data[:5]
    assert type(first["inputs"]).__module__.partition(".")[0] in (kind, "jaxlib")
    assert np.allclose(np.asarray(first["inputs"]), wines[:5])
    assert np.asarray(first["targets"]).tolist() == cultivars[:5].tolist()
    assert data.info.license == "CC-BY-4.0"


EXAMPLES = Examples(np.arange(6, dtype=np.int64).reshape(3, 2), np.array([0, 1, 0]))


def made_up(*sources: Source, sha256: str | None = None) -> DataSet:
    return DataSet("made_up", "1.0", "MIT", "nobody", sha256 or checksum(EXAMPLES), sources)


def package(module: str, examples: Examples = EXAMPLES) -> Source:
    return Source(module, f"pip install {module}", lambda: examples)


def hub(examples: Examples = EXAMPLES) -> Source:
    return Source(None, "claimbench data get made_up", lambda: examples)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_first_source_that_is_here_is_read(cache):
    other = Examples(EXAMPLES.inputs + 1, EXAMPLES.targets)
    data = made_up(package("no_such_module", other), package("json"))
    assert np.array_equal(data.load().inputs, EXAMPLES.inputs)
    assert data.get() == "json"
    assert not data.cached.exists()


def test_what_a_hub_has_is_asked_for_once_and_kept(cache):
    asked = []

    def read() -> Examples:
        asked.append(1)
        return EXAMPLES

    data = made_up(package("no_such_module"), Source(None, "claimbench data get made_up", read))
    assert data.missing() == (
        "data set `made_up` needs no_such_module; run: pip install no_such_module or: claimbench "
        "data get made_up"
    )
    with pytest.raises(FileNotFoundError, match="claimbench data get made_up"):
        data.load()  # a run never goes to a network
    assert asked == []
    assert data.get() == str(data.cached) == data.get()
    assert asked == [1]
    assert data.missing() is None
    assert np.array_equal(data.load().targets, EXAMPLES.targets)


def test_another_copy_is_refused_and_not_kept(cache):
    data = made_up(hub(Examples(EXAMPLES.inputs + 1, EXAMPLES.targets)))
    with pytest.raises(ValueError, match="data set `made_up`: this copy has sha256"):
        data.get()
    assert not data.cached.exists()


def test_a_spoilt_cache_is_noticed(cache):
    data = made_up(hub())
    data.get()
    np.savez(data.cached, inputs=EXAMPLES.inputs + 1, targets=EXAMPLES.targets)
    with pytest.raises(ValueError, match=str(data.cached)):
        data.load()


@debian(fashion_mnist)
def test_fashion_mnist_from_the_hub_is_the_same(cache, monkeypatch):
    images, labels = fashion_mnist.sources[0].read()
    parts = {"train": slice(0, 60_000, 1000), "test": slice(60_000, None, 1000)}

    def load_from_hub(repository: str, *, split: str) -> datasets.Dataset:
        assert repository == "zalando-research/fashion_mnist"
        rows = [Image.fromarray(image.reshape(28, 28)) for image in images[parts[split]]]
        features = datasets.Features(
            {"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)}
        )
        columns = {"image": rows, "label": labels[parts[split]].tolist()}
        return datasets.Dataset.from_dict(columns, features=features)

    monkeypatch.setattr(datasets, "load_dataset", load_from_hub)
    found = fashion_mnist.sources[1].read()
    assert np.array_equal(found.inputs, images[::1000])
    assert np.array_equal(found.targets, labels[::1000])
    assert found.targets.dtype == labels.dtype


@pytest.mark.parametrize("entry", entry_points(group="claimbench.data"), ids=lambda e: e.name)
def test_every_data_set_says_what_it_is(entry):
    data = entry.load()
    assert data.name == entry.name
    assert len(data.sha256) == 64
    assert all((data.version, data.licence, data.source))
    assert data.sources[0].needs is not None  # an offline source comes first
