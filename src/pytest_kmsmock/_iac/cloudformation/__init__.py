"""CloudFormation templates, also as CDK and SAM write them."""
