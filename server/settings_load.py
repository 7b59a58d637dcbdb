"""The settings of what happens when more comes than can be done; a part of `server.settings`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

_POSTGRESQL = r"^postgresql(\+[a-z0-9]+)?://"


class Load(BaseModel):
    """From where on the server says: come again later."""

    # When more comes than can be done
    max_requests: int = Field(
        1000,
        description="FHIR requests that one process answers at the same time; more are told at once to come again "
        "(503 with Retry-After), instead of making everybody wait.",
        ge=1,
        le=1_000_000,
    )
    max_waiting_documents: int = Field(
        100_000,
        description="Documents that may wait to be coded; while there are more, new ones are told to come again "
        "(429 with Retry-After), and everything else goes on.",
        ge=1,
        le=100_000_000,
    )
    replica: str | None = Field(
        None,
        description="URL of a streaming replica of PostgreSQL at which searches are answered, never older than what "
        "was acknowledged; the primary answers when it lags or fails.",
        pattern=_POSTGRESQL,
        max_length=4096,
    )

    # A pooler between us and PostgreSQL
    database_direct: str | None = Field(
        None,
        description="URL of the same database that leads around a pooler such as PgBouncer, for what needs a session "
        "of its own: leases, migrations, backups. With it `database` and `replica` may lead through one in "
        "transaction mode.",
        pattern=_POSTGRESQL,
        max_length=4096,
    )
    tenants_direct: dict[str, str] = Field(
        {},
        description="The same for tenants: host → URL around the pooler through which the database of the tenant is "
        "reached.",
        max_length=100,
    )

    def load_wrong(self, database: str, tenants: Mapping[str, str]) -> str | None:
        """Why these do not go together with the database and those of tenants; None when they do."""
        if self.database_direct and not database.startswith("postgresql"):
            return "database_direct needs a PostgreSQL database"
        if any(not tenants.get(host, "").startswith("postgresql") for host in self.tenants_direct):
            return "tenants_direct must name tenants with a PostgreSQL database"
        if any(not url.startswith("postgresql") for url in self.tenants_direct.values()):
            return "tenants_direct must hold URLs of PostgreSQL"
        return None
