"""The example of a container: its image runs a command that exists, on the port that it exposes."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import yaml

from pytest_kmsmock._cli.main import main

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "examples/docker/Dockerfile").read_text()


def test_its_command_line_is_valid(capsys):
    (entrypoint,) = re.findall(r"^ENTRYPOINT (.*)", DOCKERFILE, re.MULTILINE)
    program, *arguments = json.loads(entrypoint)
    assert program == "pytest-kmsmock"
    assert main([*arguments, "--port", "99999"]) == 2  # which is checked after the others
    assert capsys.readouterr().err == "pytest-kmsmock: port must be between 0 and 65535, not 99999.\n"


def test_it_installs_extras_that_exist():
    (extras,) = re.findall(r"pytest-kmsmock\[(.*)\]", DOCKERFILE)
    assert set(extras.split(",")) <= set(metadata.metadata("pytest-kmsmock").get_all("Provides-Extra") or ())


def test_compose_publishes_its_port_and_keeps_its_state():
    compose = yaml.safe_load((ROOT / "examples/docker/compose.yaml").read_text())
    (service,) = compose["services"].values()
    assert f"EXPOSE {service['ports'][0].rpartition(':')[2]}\n" in DOCKERFILE
    volume, _, folder = service["volumes"][0].partition(":")
    assert volume in compose["volumes"]
    assert f"{folder}/" in DOCKERFILE
