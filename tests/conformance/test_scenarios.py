"""Every scenario, against this mock: recorded and documented behavior of AWS."""

from __future__ import annotations

import pytest

from pytest_kmsmock._conformance import located_yaml, report, runner, scenario_files, targets
from pytest_kmsmock._conformance.scenario import NEEDS
from pytest_kmsmock._kms.api.service_model import operation_names

SCENARIOS = scenario_files.read_folder()
MOCK = targets.Mock()


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.id) for each in SCENARIOS])
def test_the_mock_answers_as_aws(scenario):
    results = list(runner.run([scenario], MOCK))
    assert len(results) == len(scenario.steps)
    assert all(result.outcome == runner.AGREES for result in results), report.listing(results)


def test_every_scenario_is_read():
    """An operation or member that the installed botocore does not know, or that is misspelt, hides its scenario."""
    files = [located_yaml.read(file) for file in scenario_files.FOLDER.glob("*.yaml")]
    assert len(SCENARIOS) == sum(len(file.get("scenarios", ())) for file in files)


def test_every_operation_is_in_one():
    checked = {step.operation for each in SCENARIOS for step in each.steps if step.expected is not None}
    assert checked == operation_names()


def test_every_step_that_expects_something_has_a_source_with_a_date():
    cited = [each for scenario in SCENARIOS for step in scenario.steps if step.expected for each in step.cited]
    assert cited
    assert all(each.source.date for each in cited if each.source.mark != "inferred")


def test_every_shared_source_is_cited():
    steps = [step for scenario in SCENARIOS for step in scenario.steps]
    cited = {each.source.name for step in steps for each in (*step.cited, *step.message_cited)}
    assert set(scenario_files.shared_sources()) == cited


def test_the_mock_has_all_that_scenarios_need():
    assert targets.Mock.has == NEEDS
