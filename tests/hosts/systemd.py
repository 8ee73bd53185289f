"""What systemd 252 may be told. Every value is a text."""

import re

from tests.hosts.rules import Rule

HOST = "systemd 252"

_NUMBER = re.compile(r"\d+")
_YES = {"yes", "no"}
_SECONDS = re.compile(r"\d+(s|min|h)?|infinity")
_BYTES = re.compile(r"\d+[KMGT]?|infinity")
_SIGNAL = {"SIGTERM", "SIGINT"}
_HARDENING = """
    NoNewPrivileges PrivateTmp PrivateDevices PrivateUsers ProtectClock ProtectHostname ProtectKernelLogs
    ProtectKernelModules ProtectKernelTunables ProtectControlGroups RestrictNamespaces RestrictRealtime
    RestrictSUIDSGID LockPersonality
"""
TABLE: Rule = {
    "Unit": {
        "Description": str,
        "Wants": str,
        "After": str,
        "StartLimitIntervalSec": _SECONDS,
    },
    "Service": {
        "Type": {"simple", "exec"},
        "ExecStart": str,
        "Environment": str,
        "EnvironmentFile": str,
        "LoadCredential": str,
        "DynamicUser": _YES,
        "User": str,
        "Group": str,
        "SupplementaryGroups": str,
        "StateDirectory": str,
        "StateDirectoryMode": re.compile(r"07[05]0"),
        "LogsDirectory": str,
        "UMask": re.compile(r"0[0-7]{3}"),
        "SuccessExitStatus": _NUMBER,
        "Restart": {"no", "on-failure", "always"},
        "RestartSec": _SECONDS,
        "RestartPreventExitStatus": _NUMBER,
        "KillSignal": _SIGNAL,
        "KillMode": {"control-group", "mixed", "process"},
        "TimeoutStopSec": _SECONDS,
        "Nice": re.compile(r"-?\d+"),
        "MemoryHigh": _BYTES,
        "MemoryMax": _BYTES,
        "TasksMax": _NUMBER,
        **dict.fromkeys(_HARDENING.split(), _YES),
        "CapabilityBoundingSet": {""},
        "ProtectSystem": {"strict", "full", "yes", "no"},
        "ProtectHome": {"yes", "no", "read-only", "tmpfs"},
        "ProtectProc": {"noaccess", "invisible", "ptraceable", "default"},
        "RestrictAddressFamilies": re.compile(r"AF_\w+( AF_\w+)*"),
        "SystemCallArchitectures": {"native"},
        "SystemCallFilter": [re.compile(r"~?@[\w-]+( @[\w-]+)*")],
        "SystemCallErrorNumber": {"EPERM"},
    },
    "Install": {"WantedBy": {"multi-user.target"}},
}
