#!/usr/bin/env python3
"""The deployment files are valid: every YAML file below deploy/ has each key once and declares each mounted volume,
`tollgate check` accepts the configuration in a ConfigMap, and the pod fits that configuration: Tollgate is a native
sidecar, and Prometheus and the probes reach its metrics listener.

Usage: manifests.py TOLLGATE
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


class EachKeyOnce(yaml.SafeLoader):
    """Kubernetes refuses a key that appears twice; PyYAML takes the last."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (where, _) in zip(keys, node.value):
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(problem=f"'{key}' stands more than once", problem_mark=where.start_mark)
        return super().construct_mapping(node, deep)


def pod(document):
    spec = document["spec"]["template"]["spec"]
    containers = spec.get("initContainers", []) + spec["containers"]
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    mounts = [mount["name"] for container in containers for mount in container.get("volumeMounts", [])]
    yield from (f"'{name}' is mounted and is no volume" for name in set(mounts) - set(volumes))
    yield from (f"volume '{name}' is mounted nowhere" for name in set(volumes) - set(mounts))
    for container in containers:
        ports = [port["name"] for port in container.get("ports", [])]
        if len(ports) != len(set(ports)):
            yield f"{container['name']}: a port's name stands more than once"


def seconds(text):
    return int(str(text).removesuffix("s"))


def sidecar(document, settings):
    """Tollgate starts before the application and ends after it, and what must reach it does."""
    template = document["spec"]["template"]
    spec = template["spec"]
    found = [each for each in spec.get("initContainers", []) if each["name"] == "tollgate"]
    if not found or found[0].get("restartPolicy") != "Always":
        yield "tollgate is no native sidecar: an init container with restartPolicy Always"
        return
    tollgate = found[0]
    ports = {port["name"]: port["containerPort"] for port in tollgate["ports"]}
    host, port = settings["metrics"]["listen"].rsplit(":", 1)
    if host.startswith("127.") or ports.get("metrics") != int(port):
        yield "the port `metrics` is not metrics.listen, or only loopback reaches it"
    if ports.get("http") != int(settings["listen"].rsplit(":", 1)[1]):
        yield "the port `http` is not listen"
    annotations = template["metadata"].get("annotations", {})
    if annotations.get("prometheus.io/port") != port:
        yield "prometheus.io/port is not the port of metrics.listen"
    for name, path in (("startupProbe", "/healthz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
        if tollgate.get(name, {}).get("httpGet") != {"port": "metrics", "path": path}:
            yield f"{name} does not ask {path} of the port `metrics`"
    if not settings["admin"]["listen"].startswith("127."):
        yield "the admin API can be reached from outside of the pod"
    waits = [each["lifecycle"]["preStop"]["sleep"]["seconds"] for each in spec["containers"]]
    drain = seconds(settings["timeouts"]["drain"]) + 10  # settlements have 10 s more
    if min(waits) < 5 or spec["terminationGracePeriodSeconds"] < max(waits) + 30 + drain:
        yield "the grace period is too short for preStop, the application's calls (30 s) and Tollgate's drain"


def configuration(document, tollgate):
    with tempfile.TemporaryDirectory() as directory:
        for name, text in document["data"].items():
            (Path(directory) / name).write_text(text)
        environment = {**os.environ, "TOLLGATE_ADMIN_TOKEN": "0123456789abcdef", "TOLLGATE_STORE": "redis://redis:6379"}
        command = [tollgate, "check", "--only-file", "--config", Path(directory) / "tollgate.yaml"]
        done = subprocess.run(command, env=environment, text=True, capture_output=True)
        if done.returncode != 0:
            yield done.stderr.strip() or done.stdout.strip()


def compose(document):
    named = set(document.get("volumes", {}))
    for name, service in document["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith((".", "/")) and source not in named:
                yield f"{name}: volume '{source}' is not declared"
            if source.startswith(".") and not (DEPLOY / source).exists():
                yield f"{name}: there is no {source}"


def problems(path, tollgate):
    try:
        documents = list(yaml.load_all(path.read_text(), EachKeyOnce))
    except yaml.YAMLError as error:
        yield str(error)
        return
    maps = [document for document in documents if document.get("kind") == "ConfigMap"]
    for document in documents:
        kind = document.get("kind")
        if kind == "ConfigMap":
            yield from configuration(document, tollgate)
        if kind == "Deployment":
            yield from pod(document)
            yield from sidecar(document, yaml.safe_load(maps[0]["data"]["tollgate.yaml"]))
        if "services" in document:
            yield from compose(document)


def main():
    tollgate = Path(sys.argv[1]).resolve(strict=True)
    files = sorted(DEPLOY.rglob("*.yaml"))
    assert files, DEPLOY
    found = [f"{path.relative_to(DEPLOY.parent)}: {problem}" for path in files for problem in problems(path, tollgate)]
    print("\n".join(found) or f"{len(files)} files, no problem")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
