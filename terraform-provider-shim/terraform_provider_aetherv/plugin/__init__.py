"""What Terraform's plugin protocol asks of a provider; nothing here knows a resource."""
