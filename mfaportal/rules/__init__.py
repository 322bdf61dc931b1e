"""Pure decisions: no Flask, no SQLAlchemy, no clock. `now` is always an argument."""
