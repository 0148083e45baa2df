"""The scripts judge a create's fields as the agent does: the same cases through both, by the same contracts."""

from __future__ import annotations

from typing import Any

from aetherv_agent import contracts
from aetherv_agent.core.model import OsFamily, VmSecrets, VmSpec
from aetherv_agent.core.os_family import os_family_of
from aetherv_agent.core.rules import check_create

JUDGE = """
foreach ($case in $data) {
    $fields = ConvertTo-TypedField -Fields $case['fields']
    $family = if ($fields['os_family']) { $fields['os_family'] } else { Get-OsFamily -ImageName $fields['image_name'] }
    $secrets = @{}
    foreach ($name in @($case['secrets'].Keys)) { $secrets[$name] = ConvertTo-Secret $case['secrets'][$name] }
    $judged = Test-CreateField -Fields $fields -Secrets $secrets -Family $family -Dialect (Get-Dialect -Version '2.4.000' -Family $family)
    Write-Answer ([ordered]@{
        refused = @($judged.Refusals | ForEach-Object { $_.Field } | Select-Object -Unique)
        texts = @($judged.Refusals | ForEach-Object { $_.Text })
        warnings = @($judged.Warnings | ForEach-Object { $_.Reason + ' ' + $_.Field })
    })
}
"""
LINUX: dict[str, Any] = {
    "vm_name": "web-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 4,
    "cpu_cores": 2,
    "guest_la_uid": "admin",
}
WINDOWS: dict[str, Any] = LINUX | {"image_name": "Windows Server 2022", "guest_la_uid": "Administrator"}
JOIN = {
    "guest_domain_jointarget": "example.com",
    "guest_domain_joinuid": "join",
    "guest_domain_joinou": "OU=Servers,DC=example,DC=com",
}
STATIC = {"guest_v4_ipaddr": "192.0.2.10", "guest_v4_cidrprefix": 24, "guest_v4_defaultgw": "192.0.2.1"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here"
HOSTILE = [
    "a'b", 'a"b', "a\\b", "a\tb", " a", "a ", "a  b", "-n", "-e x", "--help", "--version", "-neE", "$(x)", "`x`", "]]>",
    "%x%", "a\nb", "a\rb", "a\x00b", "   ", "p\u00e4\u00df", "\U0001f600", "x" * 104, "x" * 105, "x" * 736, "x" * 1000,
    "x" * 1001, "\u00e4" * 400, "\U0001f600" * 600, "..\\..", "*", "[a]", "root", "Root", "1a", "a" * 33, "\ud800",
]  # fmt: skip


def _cases() -> list[tuple[dict[str, Any], dict[str, str]]]:
    password = {"guest_la_pw": "Sehr-geheim-4711"}
    both = password | {"guest_domain_joinpw": "Auch-geheim"}
    cases: list[tuple[dict[str, Any], dict[str, str]]] = [
        (LINUX, password),
        (LINUX, {}),
        (WINDOWS, password),
        (LINUX | STATIC, password),
        (WINDOWS | STATIC, password),
        (WINDOWS | STATIC | {"guest_v4_dns1": "192.0.2.53", "guest_v4_dns2": "192.0.2.54"}, password),
        (LINUX | {"guest_v4_dns1": "192.0.2.53"}, password),
        (LINUX | {"guest_v4_dns2": "192.0.2.53"}, password),
        (LINUX | {"cnf_ansible_ssh_user": "ansible"}, password),
        (LINUX | {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": KEY}, password),
        (LINUX | {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": KEY + "x" * 2990}, password),
        (WINDOWS | {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": KEY}, password),
        (WINDOWS | {"guest_net_dnssuffix": "example.com"}, password),
        (WINDOWS | JOIN, both),
        (WINDOWS | JOIN, password),
        (WINDOWS | {k: v for k, v in JOIN.items() if not k.endswith("ou")}, both),
        (WINDOWS | {"guest_domain_joinou": JOIN["guest_domain_joinou"]}, password),
        (WINDOWS | JOIN | {"guest_domain_joinou": "Servers"}, both),
        (WINDOWS | JOIN | {"guest_domain_joinuid": " join"}, both),
        (LINUX | {"notes": "a\nb"}, password),
        (LINUX | {"notes": 'a\naetherv: {"job": 1}'}, password),
        (LINUX | {"notes": "x" * 4001}, password),
        (LINUX | {"os_family": "windows"}, password),
    ]
    for name in (
        "web_01",
        "-web",
        "x" * 15,
        "x" * 16,
        "x" * 64,
        "x" * 65,
        "a.b",
        "con",
        "nul.txt",
        "a/b",
        "12345",
        "w\u00e4b",
        "a ",
    ):
        cases += [(LINUX | {"vm_name": name}, password), (WINDOWS | {"vm_name": name}, password)]
    for address in (
        "192.0.2.256",
        "192.0.2",
        "0192.0.2.1",
        "192.0.2.1 ",
        "::1",
        "1.2.3.4.5",
        "01.2.3.4",
        "0.0.0.0",
    ):
        cases.append((LINUX | STATIC | {"guest_v4_ipaddr": address}, password))
    for field, number in (
        ("gb_ram", 0),
        ("gb_ram", 513),
        ("cpu_cores", 65),
        ("vlan_id", 4095),
        ("guest_v4_cidrprefix", 33),
    ):
        cases.append((LINUX | {field: number}, password))
    for value in HOSTILE:
        for base in (LINUX, WINDOWS):
            cases.append((base, {"guest_la_pw": value}))
            cases.append((base | {"guest_la_uid": value}, password))
        cases.append((LINUX | {"image_name": f"Ubuntu {value}"}, password))
        cases.append((LINUX | {"virtual_switch": value}, password))
        cases.append(
            (LINUX | {"cnf_ansible_ssh_user": "a", "cnf_ansible_ssh_key": f"{KEY}{value}"}, password)
        )
        cases.append((WINDOWS | JOIN, password | {"guest_domain_joinpw": value}))
        cases.append((WINDOWS | JOIN | {"guest_domain_joinuid": value}, both))
    return cases


def test_the_scripts_refuse_what_the_agent_refuses(pwsh: Any) -> None:
    """Each case is refused for the same fields, with the same warnings, and no text holds a secret."""
    cases = _cases()
    answers = pwsh.answers(JUDGE, [{"fields": fields, "secrets": secrets} for fields, secrets in cases])
    assert len(answers) == len(cases)
    for (fields, secrets), answer in zip(cases, answers, strict=True):
        named = fields.get("os_family")
        family = OsFamily(named) if named else os_family_of(fields["image_name"])
        spec = VmSpec(**{**fields, "os_family": family})
        checked = check_create(spec, VmSecrets(**secrets))
        refused = [v.field.partition(".")[2] for v in checked.violations]
        assert sorted(answer["refused"]) == sorted(set(refused)), (fields, secrets)
        assert answer["warnings"] == [f"{w.reason} {w.field.partition('.')[2]}" for w in checked.warnings]
        for secret in secrets.values():
            if len(secret) > len("--version"):
                assert all(secret not in text for text in answer["texts"])


def test_a_linux_guest_drops_the_domain_with_a_warning(pwsh: Any) -> None:
    """A person's document for Linux may carry domain fields: they are dropped, each with a warning."""
    [answer] = pwsh.answers(
        JUDGE, [{"fields": LINUX | JOIN, "secrets": {"guest_la_pw": "x-4711", "guest_domain_joinpw": "y"}}]
    )
    assert answer["refused"] == []
    assert sorted(answer["warnings"]) == sorted(
        f"FIELD_DROPPED {name}" for name in (*JOIN, "guest_domain_joinpw")
    )


def test_fields_have_the_types_of_the_contract(pwsh: Any) -> None:
    """Numbers, booleans and enums are taken as a document says them, everything else is FIELD_INVALID by name."""
    good = {
        "gb_ram": "4",
        "cpu_cores": 2,
        "vm_clustered": "Yes",
        "power_state": "off",
        "vm_name": "x",
        "notes": "",
    }
    wrong: list[dict[str, Any]] = [
        {"gb_ram": 1.5}, {"gb_ram": "four"}, {"cpu_cores": True}, {"vm_clustered": "maybe"}, {"vm_clustered": 1},
        {"power_state": "Off"}, {"os_family": "bsd"}, {"vm_name": 5}, {"vm_name": ["x"]}, {"vm_name": {"a": 1}},
        {"no_such_field": "x"}, {"VM_NAME": "x"}, {"cpu_cores": "1\n"},
    ]  # fmt: skip
    script = """
    Write-Answer (ConvertTo-TypedField -Fields $data['good'])
    foreach ($fields in $data['wrong']) { Write-Answer (Get-Failure { ConvertTo-TypedField -Fields $fields }) }
    """
    typed, *answers = pwsh.answers(script, {"good": good, "wrong": wrong})
    assert typed == {"gb_ram": 4, "cpu_cores": 2, "vm_clustered": True, "power_state": "off", "vm_name": "x"}
    assert [(a and a["id"], a and a["field"]) for a in answers] == [
        ("FIELD_INVALID", next(iter(f))) for f in wrong
    ]


def test_the_family_is_read_from_the_images_name(pwsh: Any) -> None:
    """Every beginning of the contract's lists, in any case, and nothing else."""
    names = [n + " 1" for names in contracts.document("fields")["os_families"].values() for n in names]
    names += [name.upper() for name in names] + ["Image", "My Ubuntu", "suse", "windows"]
    script = 'foreach ($n in $data) { Write-Answer "$(Get-OsFamily -ImageName $n)" }'
    assert pwsh.answers(script, names) == [str(os_family_of(n) or "") for n in names]
