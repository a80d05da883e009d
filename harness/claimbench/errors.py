"""Every exception that the harness raises on purpose.

ClaimbenchError
├── UsageError            a request that cannot be carried out: unknown tier, folder, claim
│   └── GitError          git is not there, or refuses
├── SpecError             a claims.yaml with problems; raised in `claimbench.spec.problems`
├── AuthorError           reproduce.py misuses the author surface
├── RecordError           what should be a verdict's record is none
└── StoreError            the store cannot be read or written
"""


class ClaimbenchError(Exception):
    """Base of all errors below; its text is one sentence for the user and names the remedy."""


class UsageError(ClaimbenchError):
    """The request cannot be carried out as it stands."""


class GitError(UsageError):
    """Git is not installed, or refuses what it is asked."""


class AuthorError(ClaimbenchError):
    """A function in reproduce.py misuses `experiment`, `artefact` or `Run`."""


class RecordError(ClaimbenchError):
    """What should be the record of a verdict lacks a field, or has one that records do not have."""


class StoreError(ClaimbenchError):
    """The store cannot be opened, read or written."""
