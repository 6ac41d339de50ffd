"""Keys, principals and policies of the files that a team deploys: CloudFormation, CDK, SAM and Terraform.

Readers (`cloudformation`, `terraform`) turn files into the records of `model`; `deploying` creates these in a fake KMS,
and resources of other services in moto. Nothing is fetched, and no code of a file runs.
"""
