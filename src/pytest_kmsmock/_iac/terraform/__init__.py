"""Terraform: `terraform show -json` of plans and states, and state files."""
