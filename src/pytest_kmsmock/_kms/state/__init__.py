"""The state of the fake KMS: records, clock, delays, IAM policies, backing key stores."""
