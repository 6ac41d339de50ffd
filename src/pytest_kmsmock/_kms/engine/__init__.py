"""The fake KMS itself, and the path of one call (`pipeline.perform`)."""
