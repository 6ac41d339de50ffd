"""Keys, principals and policies of the files that a team deploys: CloudFormation, CDK, SAM and Terraform.

Readers (`cloudformation`, `terraform`) turn files into the records of `model`; `making` puts these into a fake KMS, and
what other services have into moto. Nothing is fetched, and nothing in a file is run.
"""
