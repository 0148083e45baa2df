# One Linux VM with a static address. Endpoint, token file and CA come from the environment:
# AETHERV_ENDPOINT, AETHERV_TOKEN_FILE, AETHERV_CA_CERT.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aetherv = {
      source = "aetherv.internal/aetherv/aetherv"
    }
  }
}

provider "aetherv" {}

variable "admin_password" {
  description = "Password of the guest's administrator; kept in no state and no plan."
  type        = string
  sensitive   = true
  ephemeral   = true
}

resource "aetherv_vm" "web" {
  vm_name    = "web-01"
  image_name = "Ubuntu 24.04"
  gb_ram     = 2
  cpu_cores  = 2

  guest_la_uid           = "admin"
  guest_la_pw_wo         = var.admin_password
  guest_la_pw_wo_version = 1

  guest_v4_ipaddr     = "192.0.2.10"
  guest_v4_cidrprefix = 24
  guest_v4_defaultgw  = "192.0.2.1"
  guest_v4_dns1       = "192.0.2.53"
}

output "web" {
  value = {
    id        = aetherv_vm.web.id
    host      = aetherv_vm.web.host
    addresses = aetherv_vm.web.ip_addresses
    guest     = aetherv_vm.web.guest_state
  }
}
