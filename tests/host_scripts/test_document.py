"""Documents as people and the agent write them: the same values in both editions as Python's readers give."""

from __future__ import annotations

import json
from typing import Any

import yaml

YAML = """\
# a job by hand
---
schema: {"id": "vm-provisioning", "version": 1}
job_id: 7f0c  # a comment
cancel: false
host:
  copies: 3
  image_paths:
    - 'C:\\Images'
    - "D:\\\\More \\u00e4"
  iso_paths:
    linux: C:/iso/l.iso
timeouts: {"wait_ready": 20}
fields:
  vm_name: web-01
  image_name: "Ubuntu 24.04"
  gb_ram: 4
  guest_la_uid: 'it''s # no comment'
  vm_clustered: "Yes"
  notes: |
    first line
      indented

    # no comment
  empty:
  tilde: ~
  address: 192.0.2.10
  url: http://x/y#z
  minus: -5
list:
- a
- 2
- true
"""
READ = "foreach ($text in $data) { Write-Answer (ConvertFrom-DocumentText -Text $text) }"


def test_yaml_reads_as_another_reader_reads_it(pwsh: Any) -> None:
    """A document as people write it means the same here and to PyYAML."""
    assert pwsh.answers(READ, [YAML, YAML.replace("\n", "\r\n")]) == [yaml.safe_load(YAML)] * 2


def test_json_keeps_texts_that_look_like_dates(pwsh: Any) -> None:
    """A password that looks like a date, a number with a fraction and a pair of surrogates come out as they went in."""
    document = {
        "a": "2024-01-02T03:04:05Z",
        "b": ["\U0001f600", "x\u2028\\/\"'<>&", ""],
        "c": {"d": [], "e": {}, "f": None, "g": 1.5, "h": -(2**40), "i": [[1], [2]]},
        "A b": True,
    }
    texts = [
        json.dumps(document),
        json.dumps(document, ensure_ascii=True, indent=2),
        "\ufeff" + json.dumps(document),
    ]
    assert pwsh.answers(READ, texts) == [document] * 3


def test_what_is_neither_is_refused_and_not_quoted(pwsh: Any) -> None:
    """DOCUMENT_INVALID without a word of the document: it may hold a password."""
    secret = "Sehr-geheim-4711"
    texts = [
        "",
        "just text",
        "[1, 2]",
        '{"a": 1, "a": 2}',
        '{"a": "' + secret,
        f"pw: &{secret}",
        f"pw: [{secret}",
        f"pw: '{secret}",
        f"  pw: {secret}\nx: 1",
        f"pw: {secret}\n\tx: 1",
        f"pw: a: {secret}",
        f"pw: >\n  {secret}",
        f"pw: {secret}\npw: 2",
        "a:\n" * 3 + "x",
        '{"a":' * 40 + "1" + "}" * 40,
        "x" * 300_000,
    ]
    script = (
        "foreach ($text in $data) { Write-Answer (Get-Failure { ConvertFrom-DocumentText -Text $text }) }"
    )
    answers = pwsh.answers(script, texts)
    assert [a and a["id"] for a in answers] == ["DOCUMENT_INVALID"] * len(texts)
    assert secret not in json.dumps(answers)


def test_a_job_document_is_judged(pwsh: Any) -> None:
    """Schema, versions, ids, policies and time-outs that the contract does not know are refused by name."""
    good: dict[str, Any] = {"schema": {"id": "vm-provisioning", "version": 1}, "job_id": "a-1", "fields": {}}
    wrong: list[dict[str, Any]] = [
        {"schema": {"id": "vm-delete", "version": 1}},
        {"schema": {"id": "vm-provisioning", "version": 2}},
        {"schema": None},
        {"job_id": "../x"},
        {"job_id": "a\n"},
        {"job_id": "x" * 65},
        {"on_failure": "explode"},
        {"timeouts": {"wait_ready": -1}},
        {"timeouts": {"wait_ready": "20"}},
        {"fields": None},
        {"host": {"copies": "two"}},
        {"host": []},
    ]
    script = """
    $document = ConvertTo-JobDocument -Kind create -Text $data['good']
    Write-Answer @($document.JobId, $document.OnFailure, $document.Cancel, $document.Host.jobs_directory, $document.Host.copies)
    foreach ($text in $data['wrong']) { Write-Answer (Get-Failure { ConvertTo-JobDocument -Kind create -Text $text }) }
    """
    changes = [*wrong, {"scripts_version": "99.0"}]
    data = {"good": json.dumps(good), "wrong": [json.dumps(good | change) for change in changes]}
    first, *answers = pwsh.answers(script, data)
    assert first == ["a-1", "rollback", False, "C:\\ProgramData\\Aether-V\\jobs", 2]
    assert [a and a["id"] for a in answers] == ["DOCUMENT_INVALID"] * len(wrong) + ["SCRIPTS_MISMATCH"]


def test_secrets_leave_the_fields(pwsh: Any) -> None:
    """Passwords of -Secrets win over those in the fields, and none stays in the document."""
    script = """
    $fields = [ordered]@{ vm_name = 'x'; guest_la_pw = 'one'; guest_domain_joinpw = 'two' }
    $secrets = ConvertTo-SecretTable -Fields $fields -Handed @{ GUEST_LA_PW = (ConvertTo-Secret 'three') }
    Write-Answer @(@($fields.Keys) + @(foreach ($n in 'guest_la_pw', 'guest_domain_joinpw') { [Net.NetworkCredential]::new('', $secrets[$n]).Password }))
    Write-Answer (Get-Failure { ConvertTo-SecretTable -Fields ([ordered]@{}) -Handed @{ guest_la_pw = 'plain-4711' } })
    """
    found, refusal = pwsh.answers(script)
    assert found == ["vm_name", "three", "two"]
    assert refusal["id"] == "FIELD_INVALID"
    assert "4711" not in json.dumps(refusal)


def test_standard_input_is_read_as_utf8(pwsh: Any) -> None:
    """A document on standard input is read where nothing is in the pipeline, and as UTF-8."""
    lines = pwsh.run("Write-Answer ([ordered]@{ text = (Read-StandardInput) })", stdin="vm_name: w\u00e4b\n")
    assert json.loads(lines[-1].removeprefix("ANSWER "))["text"] in {"vm_name: w\u00e4b\n", ""}
