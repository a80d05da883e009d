"""The Hydra application: it configures, selects, runs, shows, and keeps what came out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimbench.commands import AS_EXPECTED, USAGE
from claimbench.commands.verify import conclude
from claimbench.errors import ClaimbenchError, StoreError, UsageError
from claimbench.home import home
from claimbench.hydra.config import RunConfig
from claimbench.hydra.overrides import checked
from claimbench.hydra.selection import select
from claimbench.judging.result import Result
from claimbench.profiles import profile_files, user_folder
from claimbench.running.engine import Engine
from claimbench.settings import worker_count
from claimbench.showing.live import ClaimsProgress
from claimbench.showing.output import error
from claimbench.showing.progress import View
from claimbench.showing.summary import as_markdown
from claimbench.tracking import NoTracker, Shielded, Tracker

if TYPE_CHECKING:
    from omegaconf import DictConfig

_CONFIGS = str(Path(__file__).with_name("conf"))

_SHOWING = {"--help", "-h", "--cfg", "-c"}


def main(arguments: Sequence[str]) -> int:
    """Run what command-line arguments in Hydra's grammar configure and return the exit code.

    With `--multirun` every combination is run, and the largest code is returned.

    Raises:
        UsageError: an argument is not in Hydra's grammar, or of no option.
    """
    import hydra
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    if not _SHOWING & set(arguments):
        _make(home())
    OmegaConf.register_new_resolver("claimbench_home", lambda: str(home()), replace=True)
    for name in profile_files():
        ConfigStore.instance().store(group="profile", name=name, node={"name": name})
    codes: list[int] = []
    raised: list[Exception] = []

    def task(config: DictConfig) -> None:
        try:
            codes.append(_guarded(config))
        except Exception as trouble:
            raised.append(trouble)
            raise

    given, name = sys.argv, "claimbench run"
    sys.argv = [name, *_own_folder(arguments), *checked(arguments)]
    try:
        hydra.main(version_base="1.3", config_path=_CONFIGS, config_name="config")(task)()
    except SystemExit as end:  # Hydra ends so, whatever was raised
        if raised:
            raise raised[0] from None
        return USAGE if end.code else AS_EXPECTED
    finally:
        sys.argv = given
    return max(codes, default=AS_EXPECTED)


def _make(folder: Path) -> None:
    """Make the folder that Hydra will write to, since what it says itself is a traceback."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "Permission denied"
    except OSError as trouble:
        reason = trouble.strerror or str(trouble)
    if reason:
        raise StoreError(f"{folder}: {reason}; set CLAIMBENCH_HOME to a folder that can be written")


def _own_folder(arguments: Sequence[str]) -> list[str]:
    """Return the option that adds the user's own folder of options, where there is one."""
    folder = user_folder().with_name("conf")
    if not folder.is_dir() or any(word.startswith("hydra.searchpath") for word in arguments):
        return []
    return [f"hydra.searchpath=['file://{folder}']"]


def _guarded(config: DictConfig) -> int:
    """Run one configuration; say what is wrong with it, so that the next of a sweep can go on."""
    try:
        return _run(config)
    except ClaimbenchError as mistake:
        error(f"claimbench: {mistake}")
        return USAGE


def _run(config: DictConfig) -> int:
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(config, resolve=True)
    configured = RunConfig.checked(plain)
    tracker = open_tracker(configured.tracker)
    results = run(configured, plain, tracker)
    keep(Path(HydraConfig.get().runtime.output_dir), plain, results)
    if not results:
        error("nothing is selected: no claim meets every condition of `selection`")
        return AS_EXPECTED
    tracker.finish(results)
    return conclude(results)


def open_tracker(config: dict[str, Any]) -> Tracker:
    """Return the tracker that the group `tracker` describes; what it raises later is only shown.

    Raises:
        UsageError: there is no such class, or it does not take these arguments.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        tracker: Tracker = instantiate(config)
    except InstantiationException as trouble:
        cause = trouble.__cause__ or trouble
        raise UsageError(f"tracker: {str(cause).strip()}") from None
    return tracker if type(tracker) is NoTracker else Shielded(tracker)


def run(config: RunConfig, plain: Any, tracker: Tracker) -> list[Result]:
    """Run the selected claims, telling the tracker of each."""
    settings = config.settings()
    view: View
    with Engine(settings, lambda status: view.status(status)) as engine:
        chosen = select(config.selection, settings, engine.cache, engine.store)
        trials = [trial for one in chosen for trial in engine.add(one.spec, one.claims)]
        if not trials:
            return []
        tracker.start(plain, home())
        results = []
        progress = ClaimsProgress(trials, engine.store, worker_count(settings.workers))
        with View(progress.line, progress.table) as view:
            for trial in trials:
                results.append(engine.finish(trial))
                view.say(results[-1].line)
                tracker.verdict(trial.spec, results[-1], engine.store)
    return results


def keep(folder: Path, config: Any, results: Sequence[Result]) -> None:
    """Write configuration and verdicts into the run's folder, and a table for people."""
    data = {
        "claimbench": version("claimbench"),
        "config": config,
        "verdicts": [result.record.as_json() for result in results],
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    (folder / "verdicts.json").write_text(text, encoding="utf-8")
    (folder / "verdicts.md").write_text(as_markdown(results), encoding="utf-8")
