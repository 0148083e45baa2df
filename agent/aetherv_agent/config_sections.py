"""The sections of the configuration: their values, limits and defaults. Pure; ``config`` reads and joins them."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from aetherv_agent import addresses
from aetherv_agent.core.model import HostSettings, OsFamily

DEFAULT_PORT = 7443

FOLDER: ContextVar[Path] = ContextVar("aetherv_config_folder", default=Path())
_DAY = 86400.0


def _absolute(path: Path) -> Path:
    return (FOLDER.get() / path.expanduser()).absolute()


FilePath = Annotated[Path, AfterValidator(_absolute)]
"""A path; a relative one counts from the configuration file's folder."""

Seconds = Annotated[float, Field(gt=0, le=7 * _DAY, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Principal = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
RoleName = Literal["viewer", "planner", "operator", "admin"]
PerFamily = dict[OsFamily, Annotated[str, StringConstraints(min_length=1)]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


class TlsFiles(_Part):
    """Certificate (chain) and key of one's own, PEM."""

    cert: FilePath
    key: FilePath


class ListenerConfig(_Part):
    """One address to listen on."""

    address: str = f"127.0.0.1:{DEFAULT_PORT}"
    tls: bool = True
    client_ca: FilePath | None = None
    auth: Literal["token", "mtls"] = "token"

    @field_validator("address")
    @classmethod
    def _known_form(cls, value: str) -> str:
        return addresses.checked(value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.tls and not addresses.is_local(self.address):
            raise ValueError(
                "plaintext is allowed on a loopback address or a unix socket alone: set tls to true"
            )
        if self.auth == "mtls" and (not self.tls or self.client_ca is None):
            raise ValueError("auth mtls needs tls and client_ca")
        if self.auth == "token" and self.client_ca is not None:
            raise ValueError(
                "client_ca needs auth mtls: a listener takes tokens or certificates, so use two listeners"
            )
        return self


class TokenConfig(_Part):
    """A token by its SHA-256 in hexadecimal digits."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
    principal: Principal
    role: RoleName
    hosts: frozenset[Name] | None = None
    expires: AwareDatetime | None = None


class CertificateConfig(_Part):
    """A client certificate by a name in it: common name or subject alternative name."""

    name: Principal
    role: RoleName
    hosts: frozenset[Name] | None = None


class StoreConfig(_Part):
    """Where operations are kept; empty: an SQLite file in ``state_dir``."""

    url: Annotated[str, StringConstraints(pattern=r"^(sqlite:///.+)?$")] = ""


class LimitsConfig(_Part):
    """How many remote shells one host is asked for at once; unset: as ``operations`` says."""

    jobs: Annotated[int, Field(ge=1, le=64)] | None = None
    changes: Annotated[int, Field(ge=1, le=64)] | None = None
    reads: Annotated[int, Field(ge=1, le=16)] = 2


class HostConfig(_Part):
    """A Hyper-V host: how it is reached, and where things are on it."""

    name: Name
    address: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\s/@]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    https: bool = True
    auth: Literal["ntlm", "basic", "negotiate", "kerberos", "credssp"] = "ntlm"
    username: Annotated[str, StringConstraints(min_length=1)]
    password_file: FilePath | None = None
    password_env: VariableName | None = None
    password_credential: Name | None = None
    delegate: bool = False
    ca_cert: FilePath | None = None
    install_directory: Annotated[str, StringConstraints(min_length=1)] = r"C:\Program Files\Aether-V"
    jobs_directory: Annotated[str, StringConstraints(min_length=1)] = r"C:\ProgramData\Aether-V\jobs"
    image_paths: Annotated[tuple[str, ...], Field(min_length=1)] = (r"C:\ClusterStorage\*\DiskImages",)
    vm_path: str = ""
    default_switch: str = ""
    secure_boot_template: PerFamily = Field(
        default_factory=lambda: {
            OsFamily.LINUX: "MicrosoftUEFICertificateAuthority",
            OsFamily.WINDOWS: "MicrosoftWindows",
        }
    )
    iso_paths: PerFamily = Field(default_factory=dict)
    guest_version: PerFamily = Field(default_factory=dict)
    copies: Annotated[int, Field(ge=1, le=16)] = 2
    cordoned: bool = False
    deploy_scripts: bool | None = None
    limits: LimitsConfig = LimitsConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = [self.password_file, self.password_env, self.password_credential]
        if self.auth != "kerberos" and sum(value is not None for value in given) != 1:
            raise ValueError("exactly one of password_file, password_env and password_credential is needed")
        if self.auth == "basic" and not self.https:
            raise ValueError("auth basic needs https: it sends the password as it is")
        if self.ca_cert is not None and not self.https:
            raise ValueError("ca_cert needs https")
        if self.delegate and self.auth not in {"kerberos", "negotiate"}:
            raise ValueError("delegate needs auth kerberos or negotiate")
        return self

    def settings(self) -> HostSettings:
        """Return what the host's scripts need to know."""
        return HostSettings(
            id=self.name,
            address=self.address,
            install_directory=self.install_directory,
            jobs_directory=self.jobs_directory,
            image_paths=self.image_paths,
            vm_path=self.vm_path,
            default_switch=self.default_switch,
            secure_boot_template={family.value: name for family, name in self.secure_boot_template.items()},
            iso_paths={family.value: path for family, path in self.iso_paths.items()},
            guest_version={family.value: version for family, version in self.guest_version.items()},
            copies=self.copies,
            cordoned=self.cordoned,
            delegation=self.auth == "credssp" or self.delegate,
        )


class OperationsConfig(_Part):
    """Limits of operations, ``jobs`` (creates) and ``changes`` (deletes) per host; times in seconds."""

    jobs: Annotated[int, Field(ge=1, le=64)] = 16
    changes: Annotated[int, Field(ge=1, le=64)] = 4
    retention: Annotated[float, Field(ge=60, le=3650 * _DAY, allow_inf_nan=False)] = 30 * _DAY
    queue_limit: Annotated[int, Field(ge=1, le=100_000)] = 256
    queue_timeout: Seconds = 3600.0
    default_timeout: Seconds = 3600.0
    undo_timeout: Seconds = 900.0
    shutdown_notice: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = 5.0
    shutdown_grace: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 30.0


class ProvisioningConfig(_Part):
    """Times of creates and reads, in seconds; ``settle_seconds`` unset: the guest's dialect says."""

    wait_ready: Annotated[int, Field(ge=1, le=86400)] = 300
    settle_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    wait_applied: Annotated[int, Field(ge=1, le=86400)] = 1800
    verify_timeout: Annotated[int, Field(ge=0, le=86400)] = 120
    inventory_max_age: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 5.0


class LogConfig(_Part):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"
