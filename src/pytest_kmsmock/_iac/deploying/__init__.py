"""What files declare, made: keys and principals in a fake KMS, the rest in moto."""
