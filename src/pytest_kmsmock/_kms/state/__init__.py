"""Everything the fake KMS remembers: records, state, clock."""
