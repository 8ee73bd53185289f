"""What Vector 0.57 may be told."""

from tests.hosts.rules import Map, Named, Rule

HOST = "Vector 0.57"

_FRAMING = {
    "method": {"bytes", "character_delimited", "newline_delimited", "octet_counting", "length_delimited"},
    "newline_delimited": {"max_length": int},
    "character_delimited": {"delimiter": str, "max_length": int},
}
_CODECS = {
    "avro",
    "cef",
    "csv",
    "gelf",
    "json",
    "logfmt",
    "native",
    "native_json",
    "protobuf",
    "raw_message",
    "text",
}
_ENCODING = {
    "codec": _CODECS,
    "except_fields": [str],
    "only_fields": [str],
    "timestamp_format": {"rfc3339", "unix"},
}
_DECODING = {
    "codec": {
        "avro",
        "bytes",
        "gelf",
        "influxdb",
        "json",
        "native",
        "native_json",
        "protobuf",
        "syslog",
        "vrl",
    }
}
_BUFFER = Named(
    "type",
    {
        "disk": {"type": {"disk"}, "max_size": int, "when_full": {"block", "drop_newest"}},
        "memory": {
            "type": {"memory"},
            "max_events": int,
            "max_size": int,
            "when_full": {"block", "drop_newest"},
        },
    },
)
_ACKNOWLEDGEMENTS = {"enabled": bool}
_VECTOR_SOURCES = {
    "exec": {
        "type": str,
        "mode": {"scheduled", "streaming"},
        "command": [str],
        "include_stderr": bool,
        "working_directory": str,
        "environment": Map(str),
        "clear_environment": bool,
        "streaming": {"respawn_on_exit": bool, "respawn_interval_secs": int},
        "scheduled": {"exec_interval_secs": int},
        "framing": _FRAMING,
        "decoding": _DECODING,
    },
    "file": {
        "type": str,
        "include": [str],
        "exclude": [str],
        "data_dir": str,
        "read_from": {"beginning", "end"},
        "ignore_older_secs": int,
        "ignore_checkpoints": bool,
        "max_line_bytes": int,
        "max_read_bytes": int,
        "oldest_first": bool,
        "remove_after_secs": int,
        "rotate_wait_secs": int,
        "glob_minimum_cooldown_ms": int,
        "file_key": str,
        "host_key": str,
        "offset_key": str,
        "line_delimiter": str,
        "fingerprint": {
            "strategy": {"checksum", "device_and_inode"},
            "lines": int,
            "ignored_header_bytes": int,
        },
        "encoding": {"charset": str},
    },
    "stdin": {"type": str, "host_key": str, "framing": _FRAMING, "decoding": _DECODING},
}
_TLS = {"ca_file": str, "crt_file": str, "key_file": str, "verify_certificate": bool, "verify_hostname": bool}
_VECTOR_SINKS = {
    "http": {
        "type": str,
        "inputs": [str],
        "uri": str,
        "method": {"get", "head", "post", "put", "delete", "options", "trace", "patch"},
        "compression": {"none", "gzip", "snappy", "zlib", "zstd"},
        "encoding": _ENCODING,
        "framing": _FRAMING,
        "payload_prefix": str,
        "payload_suffix": str,
        "batch": {"max_bytes": int, "max_events": int, "timeout_secs": int},
        "buffer": _BUFFER,
        "request": {
            "concurrency": {"none", "adaptive"},
            "headers": Map(str),
            "rate_limit_duration_secs": int,
            "rate_limit_num": int,
            "retry_attempts": int,
            "retry_initial_backoff_secs": int,
            "retry_jitter_mode": {"None", "Full"},
            "retry_max_duration_secs": int,
            "timeout_secs": int,
        },
        "tls": _TLS,
        "healthcheck": {"enabled": bool, "uri": str},
        "acknowledgements": _ACKNOWLEDGEMENTS,
    },
    "console": {
        "type": str,
        "inputs": [str],
        "target": {"stdout", "stderr"},
        "encoding": _ENCODING,
        "framing": _FRAMING,
        "buffer": _BUFFER,
        "acknowledgements": _ACKNOWLEDGEMENTS,
    },
}
TABLE: Rule = {
    "data_dir": str,
    "sources": Map(Named("type", _VECTOR_SOURCES)),
    "sinks": Map(Named("type", _VECTOR_SINKS)),
}
