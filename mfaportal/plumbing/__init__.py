"""What the portal stands on: settings, clock, database, keys, passwords, links. It knows no rules."""
