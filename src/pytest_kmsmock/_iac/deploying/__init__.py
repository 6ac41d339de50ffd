"""Creating what files declare: keys and principals in a fake KMS, other resources in moto."""
