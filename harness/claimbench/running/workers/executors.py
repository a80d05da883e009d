"""The choice of an executor."""

from claimbench.profiles import Profile
from claimbench.running.workers.cluster import Cluster
from claimbench.running.workers.inline import Inline
from claimbench.running.workers.jobs import Executor
from claimbench.running.workers.pool import Processes
from claimbench.settings import Settings, worker_count


def open_executor(settings: Settings, profile: Profile) -> Executor:
    """Return the executor that the settings name.

    Raises:
        UsageError: what it needs is not there.
    """
    if settings.executor == "inline":
        return Inline(profile)
    if settings.executor == "ray":
        return Cluster(profile, settings.workers, settings.address)
    return Processes(profile, worker_count(settings.workers))
