"""Administration: users, sites, audit trail, system health."""
