"""What a resource looks like to Terraform, and how a change of it is planned: pure."""
