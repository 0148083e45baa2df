"""The database: the only importer of SQLAlchemy and Alembic. It holds rows and knows no meaning of them.

No exception of SQLAlchemy or of a driver leaves this package: what goes wrong is an ``AethervError``.
"""

from .database import Database, open_sqlite
from .operations import OperationStore, Refused
from .rows import (
    UNSET,
    Claim,
    EventRow,
    Fence,
    Held,
    HostCount,
    NewRow,
    OperationRow,
    Patch,
    Query,
    Secrets,
    Waiting,
)

__all__ = [
    "UNSET",
    "Claim",
    "Database",
    "EventRow",
    "Fence",
    "Held",
    "HostCount",
    "NewRow",
    "OperationRow",
    "OperationStore",
    "Patch",
    "Query",
    "Refused",
    "Secrets",
    "Waiting",
    "open_sqlite",
]
