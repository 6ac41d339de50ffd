"""Services that protect what they make with a grant: databases, volumes, repositories. Only what they do at once."""
