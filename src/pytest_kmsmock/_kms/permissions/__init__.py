"""Authorization of calls: access decisions, condition values, grants, checks of new key policies."""
