"""The configuration: where values come from, every error at once, nothing of a value in an error."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml
from aetherv_agent import config_check
from aetherv_agent.config import AgentConfig, load
from aetherv_agent.core.errors import AethervError

HOST = {"name": "hv01", "address": "hv01.example.com", "username": "svc", "password_file": "hv01.password"}
GOOD = {"version": 1, "state_dir": "state", "hosts": [HOST]}


def write(folder: Path, content: object) -> Path:
    """Write a configuration."""
    path = folder / "agent.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), "utf-8")
    return path


def errors(folder: Path, content: object) -> dict[str, str]:
    """Return the errors of a configuration by path."""
    with pytest.raises(AethervError) as caught:
        load(write(folder, content))
    assert caught.value.id == "CONFIG_INVALID"
    return {violation.field: violation.message for violation in caught.value.violations}


def good(folder: Path, **changes: object) -> AgentConfig:
    """Load a good configuration with changes."""
    return load(write(folder, GOOD | changes))


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """Everything else has a default, and relative paths count from the file's folder."""
    config = good(tmp_path)
    assert config.state_dir == tmp_path / "state"
    assert config.hosts[0].password_file == tmp_path / "hv01.password"
    (listener,) = config.listeners
    assert (listener.address, listener.tls, listener.auth) == ("127.0.0.1:7443", True, "token")
    assert config.host_settings()["hv01"].install_directory == r"C:\Program Files\Aether-V"


def test_environment_stands_above_the_file_and_flags_above_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """YAML < environment < flags, also within one section."""
    path = write(tmp_path, GOOD | {"operations": {"jobs": 3, "queue_limit": 4}, "log": {"level": "error"}})
    monkeypatch.setenv("AETHERV_AGENT_OPERATIONS__JOBS", "5")
    monkeypatch.setenv("AETHERV_AGENT_LOG__LEVEL", "warning")
    config = load(path, {"log": {"level": "debug"}})
    assert (config.operations.jobs, config.operations.queue_limit) == (5, 4)
    assert config.log.level == "debug"


def test_every_error_is_listed_at_once_with_its_path(tmp_path: Path) -> None:
    """Nobody should start an agent five times to learn of five errors."""
    found = errors(
        tmp_path,
        {
            "version": 2,
            "colour": "red",
            "listeners": [
                {"address": "0.0.0.0:7443", "tls": False},
                {"address": "nonsense"},
                {"auth": "mtls"},
                {"client_ca": "ca.pem"},
            ],
            "tokens": [{"sha256": "abc", "principal": "", "role": "king"}],
            "hosts": [
                HOST | {"port": 0, "colour": 1, "limits": {"jobs": 0}},
                {"name": "h/1", "address": "a"},
                HOST | {"name": "b", "auth": "basic", "https": False},
                HOST | {"name": "c", "password_env": "C_PASSWORD"},
            ],
            "operations": {"retention": "long"},
        },
    )
    assert set(found) == {
        "version",
        "state_dir",
        "colour",
        "listeners[0]",
        "listeners[1].address",
        "listeners[2]",
        "listeners[3]",
        "tokens[0].sha256",
        "tokens[0].principal",
        "tokens[0].role",
        "hosts[0].port",
        "hosts[0].colour",
        "hosts[0].limits.jobs",
        "hosts[1].name",
        "hosts[1].username",
        "hosts[2]",
        "hosts[3]",
        "operations.retention",
    }
    assert found["colour"] == "is no setting of this agent"
    assert found["state_dir"] == "is needed"
    assert "loopback" in found["listeners[0]"]


def test_no_value_stands_in_an_error(tmp_path: Path) -> None:
    """A password that was written into the file by mistake is not quoted, wherever the error is."""
    path = write(
        tmp_path,
        {
            "version": 1,
            "state_dir": "s",
            "hosts": [
                {
                    "name": "hv01",
                    "password": "sesame-value",
                    "port": "sesame-value",
                    "username": ["sesame-value"],
                }
            ],
            "tokens": [{"sha256": "sesame-value", "principal": "control", "role": "viewer"}],
            "store": "sesame-value",
        },
    )
    with pytest.raises(AethervError) as caught:
        load(path)
    text = f"{caught.value} {caught.value!r} {caught.value.violations}"
    assert "hosts[0].password" in text
    assert "sesame" not in text


@pytest.mark.parametrize(
    "text",
    ["a: [1", "a: 1\na: 2", "- 1", "\tx: sesame", "a: !sesame 1", "a: *sesame", "1: 2", "x: " + "[" * 1100],
)
def test_a_file_that_is_no_mapping_is_one_clear_error(tmp_path: Path, text: str) -> None:
    """Bad YAML, a key that stands twice and other forms are told, without a traceback."""
    (message,) = errors(tmp_path, text).values()
    assert message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The path and the reason are named."""
    with pytest.raises(AethervError, match=r"nowhere\.yaml.*No such file"):
        load(tmp_path / "nowhere.yaml")


def test_unknown_variables_are_errors_and_named_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable would be ignored in silence; one that a host names is its own."""
    monkeypatch.setenv("AETHERV_AGENT_HV01_PASSWORD", "x")
    monkeypatch.setenv("AETHERV_AGENT_STATEDIR", "x")
    host = {key: value for key, value in HOST.items() if key != "password_file"}
    found = errors(tmp_path, GOOD | {"hosts": [host | {"password_env": "AETHERV_AGENT_HV01_PASSWORD"}]})
    assert found == {"AETHERV_AGENT_STATEDIR": "is no variable of this agent"}


def test_a_nested_variable_with_a_wrong_name_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second part of a variable's name is judged too."""
    monkeypatch.setenv("AETHERV_AGENT_LOG__LEVLE", "debug")
    assert list(errors(tmp_path, GOOD)) == ["log.levle"]


def test_a_variable_that_is_no_json_is_told_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list in a variable is JSON; what is none is not quoted."""
    monkeypatch.setenv("AETHERV_AGENT_HOSTS", "[sesame")
    found = errors(tmp_path, GOOD)
    assert list(found) == ["environment"]
    assert "hosts" in found["environment"]
    assert "sesame" not in found["environment"]


def test_tokens_name_configured_hosts(tmp_path: Path) -> None:
    """A token's hosts and the end of its validity are read; a time without a zone is a mistake."""
    token = {"sha256": hashlib.sha256(b"t").hexdigest(), "principal": "ci", "role": "planner"}
    config = good(tmp_path, tokens=[token | {"hosts": ["hv01"], "expires": "2030-01-01T00:00:00Z"}])
    assert config.tokens[0].hosts == frozenset({"hv01"})
    naive = errors(tmp_path, GOOD | {"tokens": [token | {"expires": "2030-01-01T00:00:00"}]})
    assert list(naive) == ["tokens[0].expires"]


def test_two_hosts_of_one_name_are_refused(tmp_path: Path) -> None:
    """Names are ids; case does not tell hosts apart."""
    assert list(errors(tmp_path, GOOD | {"hosts": [HOST, HOST | {"name": "HV01"}]})) == ["hosts"]


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("127.0.0.1:0", True),
        ("127.9.9.9:80", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("unix:/run/aetherv/agent.sock", True),
        ("0.0.0.0:80", False),
        ("[::]:80", False),
        ("10.0.0.1:80", False),
        ("localhost.example.com:80", False),
        ("unix:agent.sock", False),
        ("::1:80", False),
        ("127.0.0.1", False),
        ("127.0.0.1:99999", False),
    ],
)
def test_plaintext_is_for_loopback_and_unix_sockets_alone(
    tmp_path: Path, address: str, fine: bool
) -> None:  # a parameter of the test
    """A listener without TLS that others could reach is refused."""
    content = GOOD | {"listeners": [{"address": address, "tls": False}]}
    if fine:
        assert load(write(tmp_path, content)).listeners[0].address == address
    else:
        assert next(iter(errors(tmp_path, content))).startswith("listeners[0]")


def test_what_a_configuration_points_at_is_judged_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts of tokens, secret files that others may read, variables, credentials and certificates are all listed."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "open").write_text("sesame")
    (tmp_path / "open").chmod(0o640)
    (tmp_path / "closed").write_text("sesame\n")
    (tmp_path / "closed").chmod(0o600)
    (tmp_path / "no.pem").write_text("nothing")
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    base = {"address": "h", "username": "u"}
    config = good(
        tmp_path,
        hosts=[
            base | {"name": "a", "password_file": "open"},
            base | {"name": "b", "password_file": "missing"},
            base | {"name": "c", "password_env": "NOT_SET_AT_ALL"},
            base | {"name": "d", "password_credential": "d-password"},
            base | {"name": "e", "password_file": "closed", "ca_cert": "no.pem"},
        ],
        tls={"cert": "no.pem", "key": "closed"},
        tokens=[{"sha256": "0" * 64, "principal": "ci", "role": "planner", "hosts": ["a", "z"]}],
        certificates=[{"name": "ci", "role": "planner", "hosts": ["y"]}],
    )
    with pytest.raises(AethervError) as caught:
        config_check.check(config)
    found = {violation.field: violation.message for violation in caught.value.violations}
    assert set(found) == {
        "state_dir",
        "tls.cert",
        "tls.key",
        "tokens[0].hosts",
        "certificates[0].hosts",
        "hosts[0].password_file",
        "hosts[1].password_file",
        "hosts[2].password_env",
        "hosts[3].password_credential",
        "hosts[4].ca_cert",
    }
    assert "chmod 600" in found["hosts[0].password_file"]
    assert "sesame" not in str(caught.value)


def test_systemd_credentials_are_taken_as_systemd_gives_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential may be readable by its group: systemd guards its folder."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "d-password").write_text("sesame")
    (folder / "d-password").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    host = {"name": "d", "address": "h", "username": "u", "password_credential": "d-password"}
    config_check.check(good(tmp_path, hosts=[host]))


def test_kerberos_without_its_library_is_told_before_a_host_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that could never log in is refused, by the host's path; with the library it is not."""
    host = {"name": "k", "address": "h", "username": "u", "auth": "kerberos"}
    monkeypatch.setattr(config_check, "find_spec", lambda _: None)
    with pytest.raises(AethervError) as caught:
        config_check.check(good(tmp_path, hosts=[host]))
    assert [violation.field for violation in caught.value.violations] == ["hosts[0].auth"]
    monkeypatch.setattr(config_check, "find_spec", lambda name: name)
    config_check.check(good(tmp_path, hosts=[host]))


def test_scripts_are_deployed_where_host_or_agent_allow_it(tmp_path: Path) -> None:
    """Off by default; a host's own word stands above the common one."""
    hosts = [
        HOST,
        HOST | {"name": "hv02", "deploy_scripts": True},
        HOST | {"name": "hv03", "deploy_scripts": False},
    ]
    assert good(tmp_path, hosts=hosts).deploying_hosts() == {"hv02"}
    assert good(tmp_path, hosts=hosts, deploy_scripts=True).deploying_hosts() == {"hv01", "hv02"}
