"""What Kubernetes 1.29 may be told. The names of the lists are those that charts usually give them."""

import re

from tests.hosts.rules import Rule

HOST = "Kubernetes 1.29"

_QUANTITY = re.compile(r"\d+(m|Ki|Mi|Gi)?")
_RESOURCES = {"cpu": _QUANTITY, "memory": _QUANTITY, "ephemeral-storage": _QUANTITY}
_PATH = re.compile(r"/[\w./-]+")
_CONTAINER = {
    "name": re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"),
    "image": str,
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "command": [str],
    "args": [str],
    "env": [
        {
            "name": re.compile(r"[A-Z_][A-Z0-9_]*"),
            "value": str,
            "valueFrom": {"secretKeyRef": {"name": str, "key": str, "optional": bool}},
        }
    ],
    "securityContext": {
        "runAsNonRoot": bool,
        "runAsUser": int,
        "runAsGroup": int,
        "readOnlyRootFilesystem": bool,
        "allowPrivilegeEscalation": bool,
        "privileged": bool,
        "capabilities": {"drop": [str], "add": [str]},
        "seccompProfile": {"type": {"RuntimeDefault", "Unconfined", "Localhost"}},
    },
    "resources": {"requests": _RESOURCES, "limits": _RESOURCES},
    "volumeMounts": [{"name": str, "mountPath": _PATH, "subPath": str, "readOnly": bool}],
    "lifecycle": {"preStop": {"exec": {"command": [str]}}},
}
TABLE: Rule = {
    "initContainers": [_CONTAINER | {"restartPolicy": {"Always"}}],
    "sidecars": [_CONTAINER],
    "extraVolumes": [
        {
            "name": str,
            "emptyDir": {"sizeLimit": _QUANTITY, "medium": {"", "Memory"}},
            "persistentVolumeClaim": {"claimName": str, "readOnly": bool},
        }
    ],
    "terminationGracePeriodSeconds": int,
}
