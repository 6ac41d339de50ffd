"""Scenario files: what they say, and what is told of those that say something wrong."""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta

import pytest

from pytest_kmsmock._conformance import located_yaml, scenario_files
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock.errors import InvalidScenario, MissingExtra

STEP = "- name: one\n  source: seen\n  steps:\n"


def test_reading_a_file(scenarios_of):
    (scenario,) = scenarios_of(
        "parts:\n"
        "  made: &made\n"
        "  - {CreateKey: , as: key}\n"
        "scenarios:\n"
        "- name: one\n"
        "  source: seen, page 7\n"
        "  principals: {ada: {arn: user/ada, policies: [{Version: 2012-10-17}]}}\n"
        "  delays: {creating: 3}\n"
        "  steps:\n"
        "  - *made\n"
        "  - {wait: {days: 1}}\n"
        "  - Encrypt: {KeyId: <key>, Plaintext: hello}\n"
        "    by: ada\n"
        "    region: other\n"
        "    case: a case\n"
        "    within: 2\n"
        "    error: DisabledException\n"
        "    message: <key.Arn> is disabled.\n"
    )
    assert (scenario.id, scenario.place) == ("mine/one", "mine.yaml:7")
    assert scenario.needs == {"principals", "clock", "time"}
    assert scenario.delays == {"creating": 3}
    assert scenario.principals[0].policies == ({"Version": "2012-10-17"},)
    made, wait, step = scenario.steps
    assert (made.operation, made.name, made.params, made.expected, made.cited) == ("CreateKey", "key", {}, None, ())
    assert wait.wait == timedelta(days=1)
    assert (step.number, step.place, step.by, step.region, step.within) == (3, "mine.yaml:14", "ada", "other", 2)
    assert (step.expected.error, step.expected.message) == ("DisabledException", "<key.Arn> is disabled.")
    assert (step.mark, str(step.cited[0])) == ("recorded", "a capture: page 7")


def test_the_strongest_source_is_the_mark(scenarios_of):
    (scenario,) = scenarios_of(
        "scenarios:\n- name: one\n  source: [inferred, api]\n  steps:\n  - {ListKeys: , members: []}\n"
    )
    assert scenario.steps[0].mark == "documented"
    assert str(scenario.steps[0].cited[0]) == "The nearest known behavior"


def test_short_waits_need_time_and_long_ones_a_clock(scenarios_of):
    (scenario,) = scenarios_of("scenarios:\n- name: one\n  steps:\n  - {wait: {minutes: 10}}\n")
    assert scenario.needs == {"time"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("scenarios: [", "mine.yaml:4: invalid YAML: ", id="no YAML"),
        pytest.param("scenarios: \a", "mine.yaml:3: invalid YAML: control characters", id="characters"),
        pytest.param("scenarios: [{name: a, name: b}]", "mine.yaml:3: invalid YAML: 'name' occurs twice", id="twice"),
        pytest.param(
            "scenario: []", "mine.yaml:1: a scenario file has no 'scenario'. Did you mean 'scenarios'?", id="field"
        ),
        pytest.param("scenarios: {}", "mine.yaml:1: scenarios must be a list of mappings", id="no list"),
        pytest.param(
            "scenarios: []", "mine.yaml has no scenarios: give a scenario file, or a folder of *.yaml files.", id="none"
        ),
        pytest.param("scenarios: [{steps: []}]", "mine.yaml:3: a scenario needs a name", id="no name"),
        pytest.param(
            "scenarios: [{name: one, step: []}]",
            "mine.yaml:3: scenario 'one': a scenario has no 'step'.",
            id="scenario",
        ),
        pytest.param("scenarios: [{name: one}]", "scenario 'one': steps must be a list of steps", id="no steps"),
        pytest.param(
            "scenarios: [{name: one, steps: [x]}]", "a step is a mapping with an operation, not 'x'", id="no step"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - ListKeys:\n{STEP}  - ListKeys:\n",
            "mine.yaml:8: scenario 'one' occurs twice",
            id="two",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - Encrpt: {{}}\n",
            "mine.yaml:7: scenario 'one', step 1: Unknown operation or field 'Encrpt'. Did you mean 'Encrypt'?",
            id="operation",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , Decrypt: }}\n",
            "step 1: a step has one operation or `wait`, not Encrypt, Decrypt",
            id="two operations",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{as: x}}\n", "a step has one operation or `wait`, not none", id="no operation"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: [x]}}\n",
            "step 1 (Encrypt): the parameters must be a mapping",
            id="parameters",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: {{KeyID: x}}}}\n",
            "step 1 (Encrypt): Unknown parameter 'KeyID'. Did you mean 'KeyId'?",
            id="member",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , answer: {{Blob: x}}}}\n",
            "Unknown member of the answer 'Blob'.",
            id="answer",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , members: [Blob]}}\n",
            "Unknown member of the answer 'Blob'.",
            id="members",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , answer: x}}\n",
            "answer must be a mapping, and members a list",
            id="answer no mapping",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , error: X, answer: {{}}}}\n",
            "an error or an answer, not both",
            id="both",
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , message: x}}\n", "a message belongs to an error", id="message"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: {{KeyId: <kee>}}}}\n", "<kee> refers to no earlier step.", id="reference"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: {{KeyId: {{$byte: 1}}}}}}\n",
            "Unknown generated value '$byte'. Did you mean '$bytes'?",
            id="generated value",
        ),
        pytest.param(f"scenarios:\n{STEP}  - {{Encrypt: , region: third}}\n", "region 'first' or 'other'", id="region"),
        pytest.param(
            f"scenarios:\n{STEP}  - {{Encrypt: , within: soon}}\n", "within must be a number of seconds", id="within"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{wait: {{weeks: 1}}}}\n", "step 1 (wait): a wait has no 'weeks'.", id="wait"
        ),
        pytest.param(
            f"scenarios:\n{STEP}  - {{wait: 1}}\n",
            "a wait must be a mapping with days, hours, minutes, seconds",
            id="no wait",
        ),
        pytest.param(
            "scenarios: [{name: one, source: seem, steps: [{ListKeys: }]}]",
            "Unknown source 'seem'. Did you mean 'seen'?",
            id="source",
        ),
        pytest.param(
            "scenarios: [{name: one, steps: [{ListKeys: , members: []}]}]",
            "an expected answer needs a source",
            id="no source",
        ),
        pytest.param(
            "scenarios: [{name: one, needs: [luck], steps: [{ListKeys: }]}]",
            "needs must be some of clock, ",
            id="needs",
        ),
        pytest.param(
            "scenarios: [{name: one, delays: {waiting: 1}, steps: [{ListKeys: }]}]",
            "delays has no 'waiting'.",
            id="delays",
        ),
        pytest.param(
            "scenarios: [{name: one, principals: {ada: {name: x}}, steps: [{ListKeys: }]}]",
            "principal 'ada' has no 'name'.",
            id="principal",
        ),
        pytest.param(
            "scenarios: [{name: one, principals: {ada: {arn: <adda>}}, steps: [{ListKeys: }]}]",
            "scenario 'one': <adda> refers to no earlier step.",
            id="reference of a principal",
        ),
        pytest.param(
            "scenarios: [{name: one, principals: {ada: {arn: user/ada}}, steps: [{ListKeys: , by: aida}]}]",
            "step 1: principals has no 'aida'. Did you mean 'ada'?",
            id="by",
        ),
        pytest.param(
            "scenarios: [{name: one, steps: [{wait: {days: seven}}]}]",
            "step 1 (wait): a wait is a number of days, hours, minutes, seconds, not {'days': 'seven'}",
            id="wait",
        ),
    ],
)
def test_errors_name_their_location(scenarios_of, text, told):
    with pytest.raises(InvalidScenario) as refused:
        scenarios_of(text)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{mark: rumored, title: x}", "source 'x': mark must be one of recorded, documented, inferred"),
        ("{mark: recorded, title: x}", "source 'x' needs a title, and a date unless it is inferred"),
        ("{mark: inferred}", "source 'x' needs a title"),
        ("{mark: inferred, titel: x}", "source 'x' has no 'titel'. Did you mean 'title'?"),
        ("rumor", "source 'x' must be a mapping with date, mark, title, url"),
    ],
)
def test_sources_have_a_mark_a_title_and_a_date(tmp_path, source, told):
    file = tmp_path / "mine.yaml"
    file.write_text(f"sources: {{x: {source}}}\nscenarios: []\n")
    with pytest.raises(InvalidScenario, match=told):
        scenario_files.read_folder(file)


def test_an_older_botocore_skips_unknown_operations(monkeypatch):
    older = dict(service_description())
    older["operations"] = {name: found for name, found in older["operations"].items() if name != "Decapsulate"}
    monkeypatch.setattr(scenario_files, "service_description", lambda: older)
    names = [scenario.id for scenario in scenario_files.read_folder()]
    assert "key_agreement/shared secrets" in names
    assert "key_agreement/encapsulation" not in names


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidScenario, match=r"missing.yaml cannot be read: No such file"):
        scenario_files.read_folder(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"scenarios: \xe4")
    with pytest.raises(InvalidScenario, match="invalid UTF-8"):
        scenario_files.read_folder(tmp_path)


def test_without_libyaml(monkeypatch):
    """What PyYAML's own parser reads is the same."""
    expected = scenario_files.read_folder()
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    monkeypatch.delitem(sys.modules, located_yaml.__name__)
    monkeypatch.setattr(scenario_files, "read", importlib.import_module(located_yaml.__name__).read)
    aliases = scenario_files.read_folder(scenario_files.FOLDER / "aliases.yaml")
    assert aliases == [scenario for scenario in expected if scenario.file == "aliases"]


def test_without_pyyaml(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, located_yaml.__name__)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-kmsmock\[conformance\]'"):
        importlib.import_module(located_yaml.__name__)
