"""What Fluent Bit 3.2 may be told."""

import re

from tests.hosts.rules import Named, Rule

HOST = "Fluent Bit 3.2"

_TIME = re.compile(r"\d+(ms|s|m|h)")
_SIZE = re.compile(r"\d+[kKmMgG]?")
_SYNC = {"normal", "full"}
TABLE: Rule = {
    "service": {
        "flush": int,
        "grace": int,
        "log_level": {"off", "error", "warn", "info", "debug", "trace"},
        "storage.path": str,
        "storage.sync": _SYNC,
        "storage.checksum": bool,
        "storage.max_chunks_up": int,
        "storage.backlog.mem_limit": _SIZE,
    },
    "pipeline": {
        "inputs": [
            Named(
                "name",
                {
                    "tail": {
                        "name": str,
                        "tag": str,
                        "path": str,
                        "path_key": str,
                        "exclude_path": str,
                        "refresh_interval": int,
                        "rotate_wait": int,
                        "ignore_older": _TIME,
                        "read_from_head": bool,
                        "skip_empty_lines": bool,
                        "skip_long_lines": bool,
                        "buffer_chunk_size": _SIZE,
                        "buffer_max_size": _SIZE,
                        "db": str,
                        "db.sync": {"extra", "full", "normal", "off"},
                        "db.locking": bool,
                        "key": str,
                        "inotify_watcher": bool,
                        "static_batch_size": _SIZE,
                        "mem_buf_limit": _SIZE,
                        "storage.type": {"memory", "filesystem"},
                        "threaded": bool,
                    }
                },
            )
        ],
        "outputs": [
            Named(
                "name",
                {
                    "stdout": {
                        "name": str,
                        "match": str,
                        "format": {"msgpack", "json", "json_lines", "json_stream"},
                        "json_date_key": str,
                        "json_date_format": {"double", "epoch", "epoch_ms", "iso8601", "java_sql_timestamp"},
                        "workers": int,
                    }
                },
            )
        ],
    },
}
