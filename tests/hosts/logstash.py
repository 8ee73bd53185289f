"""What Logstash 8.15 may be told."""

import re

from tests.hosts.rules import Rule

HOST = "Logstash 8.15"

_INTERVAL = re.compile(r"\d+ (second|minute|hour)s?")
TABLE: Rule = {
    "input": [
        {
            "file": {
                "path": [str],
                "exclude": [str],
                "mode": {"tail", "read"},
                "start_position": {"beginning", "end"},
                "stat_interval": _INTERVAL,
                "discover_interval": int,
                "sincedb_path": str,
                "sincedb_write_interval": _INTERVAL,
                "sincedb_clean_after": _INTERVAL,
                "close_older": _INTERVAL,
                "ignore_older": _INTERVAL,
                "max_open_files": int,
                "delimiter": str,
                "file_chunk_size": int,
                "file_chunk_count": int,
                "file_sort_by": {"last_modified", "path"},
                "file_sort_direction": {"asc", "desc"},
                "codec": {"plain": {"charset": {"UTF-8"}}},
                "ecs_compatibility": {"disabled", "v1", "v8"},
                "id": str,
                "type": str,
                "tags": [str],
                "enable_metric": bool,
            }
        }
    ],
    "output": [
        {"pipe": {"command": str, "message_format": str, "ttl": int, "id": str, "enable_metric": bool}}
    ],
}
