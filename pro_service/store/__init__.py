"""Everything that touches the database: functions on the caller's session, which never commit."""
