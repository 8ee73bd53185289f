"""What Fluentd 1.16 may be told. Every value is a text."""

import re

from tests.hosts.rules import Named, Rule

HOST = "Fluentd 1.16"

_TIME = re.compile(r"\d+(s|m|h|d)?")
_SIZE = re.compile(r"\d+(k|m|g|t)?")
_NUMBER = re.compile(r"\d+")
_BOOL = {"true", "false"}
_BUFFER = {
    "@type": {"file"},
    "path": str,
    "chunk_limit_size": _SIZE,
    "chunk_limit_records": _NUMBER,
    "total_limit_size": _SIZE,
    "compress": {"text", "gzip"},
    "flush_at_shutdown": _BOOL,
    "flush_mode": {"default", "lazy", "interval", "immediate"},
    "flush_interval": _TIME,
    "flush_thread_count": _NUMBER,
    "flush_thread_interval": _NUMBER,
    "flush_thread_burst_interval": _NUMBER,
    "delayed_commit_timeout": _TIME,
    "overflow_action": {"throw_exception", "block", "drop_oldest_chunk"},
    "retry_timeout": _TIME,
    "retry_forever": _BOOL,
    "retry_max_times": _NUMBER,
    "retry_type": {"exponential_backoff", "periodic"},
    "retry_wait": _TIME,
    "retry_max_interval": _TIME,
    "retry_randomize": _BOOL,
}
_SINGLE_VALUE = {"@type": {"single_value"}, "message_key": str, "add_newline": _BOOL}
_PARSE_NONE = {"@type": {"none"}, "message_key": str}
TABLE: Rule = {
    "source": [
        Named(
            "@type",
            {
                "tail": {
                    "@type": str,
                    "@id": str,
                    "tag": str,
                    "path": str,
                    "path_key": str,
                    "exclude_path": str,
                    "refresh_interval": _TIME,
                    "limit_recently_modified": _TIME,
                    "skip_refresh_on_startup": _BOOL,
                    "read_from_head": _BOOL,
                    "encoding": str,
                    "read_lines_limit": _NUMBER,
                    "read_bytes_limit_per_second": _SIZE,
                    "max_line_size": _SIZE,
                    "pos_file": str,
                    "pos_file_compaction_interval": _TIME,
                    "follow_inodes": _BOOL,
                    "rotate_wait": _TIME,
                    "enable_watch_timer": _BOOL,
                    "enable_stat_watcher": _BOOL,
                    "open_on_every_update": _BOOL,
                    "parse": [_PARSE_NONE],
                }
            },
        )
    ],
    "match": [
        Named(
            "@type",
            {
                "exec": {
                    "": str,
                    "@type": str,
                    "@id": str,
                    "command": str,
                    "command_timeout": _TIME,
                    "format": [_SINGLE_VALUE],
                    "buffer": [_BUFFER],
                },
                "exec_filter": {
                    "": str,
                    "@type": str,
                    "@id": str,
                    "command": str,
                    "tag": str,
                    "num_children": _NUMBER,
                    "child_respawn": re.compile(r"none|inf|-?\d+"),
                    "read_block_size": _SIZE,
                    "suppress_error_log_interval": _TIME,
                    "format": [_SINGLE_VALUE],
                    "parse": [_PARSE_NONE],
                    "buffer": [_BUFFER],
                },
            },
        )
    ],
}
