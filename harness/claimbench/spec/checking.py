"""Checking what claims.yaml and reproduce.py say, with every problem in one go."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from claimbench.spec import contract, semantics
from claimbench.spec.explain import explain
from claimbench.spec.models import ClaimsFile, Spec
from claimbench.spec.parts import Part, Parts, parts_of
from claimbench.spec.problems import LIMIT, Problem, SpecError
from claimbench.spec.reading import Document
from claimbench.spec.reproduce_ast import Reproduce


def check(
    folder: Path,
    slug: str,
    claims: bytes | None,
    source: bytes | None,
    lacks: list[Problem],
    *,
    readme: bool = True,
) -> Spec:
    """Check a paper's files against themselves and against each other.

    Args:
        folder: the paper folder.
        slug: its name.
        claims: content of claims.yaml; None if it is not there.
        source: content of reproduce.py; None if it is not there.
        lacks: what is missing in the folder.
        readme: whether README.md has to name the paper.

    Raises:
        SpecError: with every problem of the folder.
    """
    reproduce = None if source is None else Reproduce(folder / "reproduce.py", source)
    problems: list[Problem] = []
    file = None
    if claims is not None:
        document = Document(folder / "claims.yaml", claims)
        problems += document.problems
        if document.readable:
            try:
                file = ClaimsFile.model_validate(document.data)
                parts = Parts(
                    {index: Part(claim) for index, claim in enumerate(file.claims)},
                    {name: Part(experiment) for name, experiment in file.experiments.items()},
                )
            except ValidationError as error:
                problems += explain(error, document)
                parts = parts_of(document.data)
            problems += islice(_problems(document, reproduce, parts), LIMIT + 1)
            problems += semantics.readme(document) if readme else ()
    if reproduce is not None:
        problems += reproduce.problems
    problems += lacks
    if problems or file is None:
        raise SpecError(slug, problems)
    lines = tuple(document.line(("claims", index)) for index in range(len(file.claims)))
    content = {name: getattr(file, name) for name in ClaimsFile.model_fields}
    return Spec.model_validate(
        {**content, "slug": slug, "lines": lines}, context={"folder": folder}
    )


def _problems(document: Document, reproduce: Reproduce | None, parts: Parts) -> Iterator[Problem]:
    yield from semantics.check(parts, document)
    yield from semantics.files(parts, document)
    if reproduce is not None and not reproduce.problems:
        yield from contract.check(parts, document, reproduce)
