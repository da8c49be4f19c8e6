#!/usr/bin/env python3
"""The deployment files are valid: every YAML file below deploy/ has each key once and declares each mounted volume,
and `tollgate check` accepts the configuration in a ConfigMap.

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
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    mounts = [mount["name"] for container in spec["containers"] for mount in container.get("volumeMounts", [])]
    yield from (f"'{name}' is mounted and is no volume" for name in set(mounts) - set(volumes))
    yield from (f"volume '{name}' is mounted nowhere" for name in set(volumes) - set(mounts))
    for container in spec["containers"]:
        ports = [port["name"] for port in container.get("ports", [])]
        if len(ports) != len(set(ports)):
            yield f"{container['name']}: a port's name stands more than once"


def configuration(document, tollgate):
    with tempfile.TemporaryDirectory() as directory:
        for name, text in document["data"].items():
            (Path(directory) / name).write_text(text)
        environment = {**os.environ, "TOLLGATE_ADMIN_TOKEN": "0123456789abcdef", "TOLLGATE_STORE": "redis://redis:6379"}
        done = subprocess.run([tollgate, "check", "--config", Path(directory) / "tollgate.yaml"], env=environment,
                              text=True, capture_output=True)
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
    for document in documents:
        kind = document.get("kind")
        if kind == "ConfigMap":
            yield from configuration(document, tollgate)
        if kind == "Deployment":
            yield from pod(document)
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
