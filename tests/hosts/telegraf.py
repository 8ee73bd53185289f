"""What Telegraf 1.32 may be told."""

import re

from tests.hosts.rules import Map, Rule

HOST = "Telegraf 1.32"

_TIME = re.compile(r"\d+(ms|s|m|h)")
_OUTPUT = {
    "alias": str,
    "metric_batch_size": int,
    "metric_buffer_limit": int,
    "flush_interval": _TIME,
    "timeout": _TIME,
}
TABLE: Rule = {
    "agent": {
        "interval": _TIME,
        "round_interval": bool,
        "metric_batch_size": int,
        "metric_buffer_limit": int,
        "collection_jitter": _TIME,
        "collection_offset": _TIME,
        "flush_interval": _TIME,
        "flush_jitter": _TIME,
        "precision": _TIME,
        "debug": bool,
        "quiet": bool,
        "logfile": str,
        "hostname": str,
        "omit_hostname": bool,
        "buffer_strategy": {"memory", "disk"},
        "buffer_directory": str,
    },
    "inputs": {
        "execd": [
            {
                "alias": str,
                "command": [str],
                "environment": [str],
                "signal": {"none", "STDIN", "SIGHUP", "SIGUSR1", "SIGUSR2"},
                "restart_delay": _TIME,
                "stop_on_error": bool,
                "buffer_size": str,
                "data_format": {"influx"},
                "influx_parser_type": {"internal", "upstream"},
            }
        ]
    },
    "outputs": {
        "influxdb_v2": [
            {
                **_OUTPUT,
                "urls": [str],
                "token": str,
                "organization": str,
                "bucket": str,
                "bucket_tag": str,
                "exclude_bucket_tag": bool,
                "http_headers": Map(str),
                "http_proxy": str,
                "user_agent": str,
                "content_encoding": {"gzip", "identity"},
                "influx_uint_support": bool,
                "tls_ca": str,
                "tls_cert": str,
                "tls_key": str,
                "insecure_skip_verify": bool,
            }
        ],
        "influxdb": [
            {
                **_OUTPUT,
                "urls": [str],
                "database": str,
                "skip_database_creation": bool,
                "retention_policy": str,
                "write_consistency": {"any", "one", "quorum", "all"},
                "username": str,
                "password": str,
                "content_encoding": {"gzip", "identity"},
            }
        ],
    },
}
