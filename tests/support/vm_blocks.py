"""Terraform configuration for tests."""

from __future__ import annotations


def vm(name: str = "web-01", label: str = "web", image: str = "Ubuntu 24.04", extra: str = "") -> str:
    """Return a resource block of a Linux VM by default; ``extra`` holds more attributes."""
    return f"""
resource "aetherv_vm" "{label}" {{
  vm_name                = "{name}"
  image_name             = "{image}"
  gb_ram                 = 2
  cpu_cores              = 2
  guest_la_uid           = "admin"
  guest_la_pw_wo         = var.password
  guest_la_pw_wo_version = 1
  {extra}
}}
"""
