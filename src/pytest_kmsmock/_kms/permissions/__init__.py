"""Whether a call may do what it asks for: condition values, grants, checks of key policies."""
