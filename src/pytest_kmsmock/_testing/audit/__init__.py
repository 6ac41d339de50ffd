"""CloudTrail records of the calls."""
