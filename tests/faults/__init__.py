"""A server in front of a real InfluxDB: it answers as version 1, 2 or 3 does, and fails as it is told."""
