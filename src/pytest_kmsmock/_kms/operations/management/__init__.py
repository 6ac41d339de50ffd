"""Operations on keys, aliases, tags, policies, grants, rotation, imports and custom key stores."""
