"""Operations: one function is one thing the portal does, in one transaction. The caller comes first."""
