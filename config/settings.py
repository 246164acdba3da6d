"""The environment variables ERNFED_*: read once, frozen, and failing at the start by name.

What archives there are stands in archives.toml (archives_file.py), not here.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.variables import PREFIX, unknown_variables
from model.errors import OperatorError


class SettingsError(OperatorError):
    """A setting that cannot be used; the message names it and the fix."""


# One of some words, in any case.
_ANY_CASE = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)


class Settings(BaseSettings):
    """Every setting of the service; `Field(description=…)` is what docs/operator.md lists."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql:// URL of the index; unset: an embedded Postgres in the data directory",
    )
    database_url_file: Path | None = Field(
        default=None, description="file that holds the database URL, instead of ERNFED_DATABASE_URL"
    )
    archives: Path = Field(default=Path("archives.toml"), description="path of archives.toml")
    archive_hosts: str | None = Field(
        default=None,
        description="hosts that archives added over the API may have, with commas and `*`; unset: any",
    )
    data_dir: Path = Field(default=Path(".ernfed"), description="where the embedded Postgres keeps its data")
    host: str = Field(
        default="127.0.0.1", description="address to listen on; other than loopback needs an issuer"
    )
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    trusted_proxies: str | None = Field(
        default=None,
        description="addresses and networks of proxies, with commas, whose X-Forwarded-For, -Proto and -Host are "
        "believed; unset: none",
    )
    metrics_token_file: Path | None = Field(
        default=None, description="file with a token that opens /metrics, and nothing else, to who shows it"
    )
    metrics_listen: str | None = Field(
        default=None,
        description="further address that serves /metrics to everybody who reaches it, such as 127.0.0.1:9464",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _ANY_CASE] = Field(
        default="info",
        description="debug, info, warning or error; of commands that end by themselves warning, unless set",
    )
    viewer_dir: Path | None = Field(
        default=None,
        description="folder of the built viewer; unset: where `./run viewer` puts it, if it is there",
    )
    viewer_url: str | None = Field(
        default=None,
        description="address of another viewer with {studyInstanceUid} in it, which `viewerUrl` then is",
    )
    public_url: str | None = Field(
        default=None, description="https:// URL under which browsers reach the server, for signing in"
    )
    auth_issuer: str | None = Field(default=None, description="issuer of the access tokens (OIDC)")
    auth_audience: str | None = Field(
        default=None, description="`aud` of access tokens for this server; needed with an issuer"
    )
    auth_jwks_url: str | None = Field(
        default=None, description="URL of the issuer's keys; unset: found by OpenID discovery"
    )
    auth_plain_jwt: bool = Field(
        default=False,
        description="also take access tokens without the type at+jwt (RFC 9068), for older providers",
    )
    auth_groups_claim: str | None = Field(
        default=None,
        description="claim with names of groups ([groups] in archives.toml): groups, realm_access.roles, …",
    )
    auth_client_id: str | None = Field(
        default=None,
        description="this server's client id at the provider; turns on signing in with a browser",
    )
    auth_client_secret: SecretStr | None = Field(
        default=None, description="the client's secret, if it has one"
    )
    auth_client_secret_file: Path | None = Field(
        default=None, description="file that holds the client's secret, instead of ERNFED_AUTH_CLIENT_SECRET"
    )
    auth_scopes: str = Field(default="openid profile", description="scopes asked for when signing in")
    auth_resource: str | None = Field(
        default=None,
        description="resource asked for when signing in (RFC 8707), where the provider wants one",
    )
    pseudonym_keys_file: Path | None = Field(
        default=None,
        description="file with the keys of pseudonyms by ERN; unset: derived from a secret in the database",
    )
    small_count: int = Field(
        default=10, ge=1, description="statistics of records that stay hidden: fewer patients are not counted"
    )
    small_count_deviation: int = Field(
        default=5, ge=0, description="how far such a count may be from the truth, for one study a patient"
    )
    cursor_lifetime_hours: int = Field(
        default=24 * 7, ge=1, description="hours after which a page cursor is refused with BAD_CURSOR"
    )

    rate_limit: int = Field(
        default=600,
        ge=0,
        description="requests a minute and person, frames a twentieth (RATE_LIMITED beyond); 0: no limit. Without an "
        "issuer only where it is set",
    )
    read_pool_size: int = Field(
        default=10, ge=2, description="connections to Postgres on which a server process answers queries"
    )
    write_pool_size: int = Field(
        default=10,
        ge=2,
        description="connections to Postgres on which a process writes; a server with a worker has both",
    )
    statement_timeout: float = Field(
        default=10.0, ge=0.1, description="seconds that one statement of the API may take (TIMEOUT beyond)"
    )
    receive_timeout: float = Field(
        default=30.0,
        ge=0.1,
        description="seconds in which a request must have come whole (REQUEST_TIMEOUT beyond)",
    )
    connections_per_address: int = Field(
        default=0,
        ge=0,
        description="connections that one address may have open (TOO_MANY_CONNECTIONS beyond); 0: any number",
    )
    request_timeout: float = Field(
        default=60.0, ge=0.1, description="seconds until an answer must have begun (TIMEOUT beyond)"
    )
    max_body_bytes: int = Field(
        default=1_000_000, ge=1_000, description="bytes of a GraphQL request (PAYLOAD_TOO_LARGE beyond)"
    )
    max_cost: int = Field(
        default=150_000, ge=1, description="what one GraphQL operation may cost (COST_TOO_HIGH beyond)"
    )
    introspection: Annotated[Literal["on", "signed-in", "off"] | None, _ANY_CASE] = Field(
        default=None,
        description="who may ask what the schema is; unset: `on` without an issuer, `signed-in` with one",
    )
    persisted_operations: Path | None = Field(
        default=None, description="JSON file of GraphQL documents that clients may name by their SHA-256"
    )
    operations: Annotated[Literal["any", "persisted", "persisted-for-browsers"], _ANY_CASE] = Field(
        default="any", description="which operations are run: any, or only those of that file"
    )

    upload_instance_bytes: int = Field(
        default=4_000_000_000,
        ge=1_000,
        description="bytes of one instance of an upload (named as failed beyond)",
    )
    upload_bytes: int = Field(
        default=10_000_000_000,
        ge=1_000,
        description="bytes of one upload, which wait on the disk until they are sent (PAYLOAD_TOO_LARGE beyond)",
    )
    upload_instances: int = Field(
        default=5_000, ge=1, description="instances of one upload (PAYLOAD_TOO_LARGE beyond)"
    )
    upload_dir: Path | None = Field(
        default=None,
        description="folder on a disk where uploads wait, in files without a name; unset: the system's for "
        "temporary files",
    )

    event_retention_hours: int = Field(
        default=72, ge=1, description="hours that change events are kept (EVENTS_EXPIRED for older cursors)"
    )
    subscriptions_per_person: int = Field(
        default=50, ge=1, description="subscriptions that a person may have open at each server process"
    )
    operations_at_once: int = Field(
        default=6,
        ge=0,
        description="queries and mutations of a person that run at once at each server process, others of theirs "
        "wait; 0: any number",
    )
    operations_per_socket: int = Field(
        default=20, ge=1, description="operations that may be open on one WebSocket"
    )
    slow_reader_seconds: float = Field(
        default=30.0, ge=0.1, description="seconds in which a subscriber must take an event (SLOW_CONSUMER)"
    )

    def database(self) -> str | None:
        """The database URL from the variable or its file; None means the embedded Postgres."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.database_url_file is not None:
            try:
                return self.database_url_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"ERNFED_DATABASE_URL_FILE: cannot read {self.database_url_file}: {error.strerror}"
                ) from None
        return None


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` (from the command line) win. Raises SettingsError."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(_wrong(problem) for problem in error.errors())) from None
    if unknown := unknown_variables(Settings.model_fields, settings.archives):
        raise SettingsError("\n".join(unknown))
    return settings


def _wrong(problem: Any) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    said = f"{PREFIX}{name}: {problem['msg']}"
    if name == "PORT" and str(problem["input"]).startswith("tcp://"):
        said += "; Kubernetes sets it where a service has the name ernfed: `enableServiceLinks: false`"
    return said
