"""Operations that use key material."""
