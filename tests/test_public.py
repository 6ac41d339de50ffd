"""What is public, name by name: a change here is a change for users, and needs a line in `changelog.d`."""

from __future__ import annotations

import inspect
import re
from importlib import metadata
from pathlib import Path
from pkgutil import iter_modules

import pytest

import pytest_kmsmock
from pytest_kmsmock import errors, plugin

#: Public name -> its public members, those that instances get from botocore's or Python's classes left out.
PUBLIC = {
    "CallRecord": (
        "account authorized caller decided decisions encryption_context error injected key keys number operation "
        "params refused region request_id result started targets time took via"
    ),
    "Caller": (
        "account administrator arn boundary called_via context forwarded_by forwarding_service identity_policies key "
        "principal session_policies via via_service vpc_endpoint"
    ),
    "Calls": "by copy in_region last of on refused succeeded with_error",
    "Clock": "advance ended freeze frozen move_to now timestamp unfreeze",
    "Cluster": "certificate hsms id online parameters password",
    "Credentials": "access_key_id arn environment secret_access_key session_token",
    "Decision": "allowed denial explain grants inapplicable_grants message policies request",
    "Decrypted": "algorithm encryption_context is_data_key key material_id plaintext",
    "Delays": "connecting creating data_key_reuse disconnecting eventual_consistency rotating updating",
    "Explanation": "allowed decisions lines message otherwise",
    "FakeEnclave": "attestation_document decrypt private_key recipient",
    "Fault": "exhausted fired passed remove",
    "Faults": "add assert_all_used backoffs clear remove skip_backoff unused",
    "IamConsole": "attach boundary detach missing resource_control service_control vpc_endpoint_policy",
    "KeyStores": (
        "add_cluster add_store add_xks_key add_xks_proxy bring_online change disable_xks_key enable_xks_key "
        "fail_next_connect remove remove_xks_key take_offline"
    ),
    "KeyView": (
        "account alias aliases arn created deletion_date description grants id last_usage material materials "
        "metadata origin policy public_key record region rotation rotations spec state tags usage"
    ),
    "Keys": "",
    "KmsHygieneError": "",
    "KmsHygieneWarning": "",
    "KmsMock": (
        "account active as_principal assert_called assert_not_called assert_only_called async_client calls "
        "client clock cloudtrail_events create_key create_key_as_in_console credentials decrypt delays deploy deployed "
        "dump explain faults iam key_stores keys least_privilege load managed_key options policy_diff region "
        "request_quotas seed serve simulate"
    ),
    "KmsMockError": "",
    "KmsServer": "endpoint_url environment proxy_url start stop",
    "LeastPrivilege": "identity_policies key_policy_statements to_json write",
    "MockKms": "start stop",
    "Options": (
        "account deterministic endpoint_urls enforce_policies fresh hygiene hygiene_checks max_calls moto_policies "
        "region request_quotas seed seed_strict services share_with_children unused_faults wire"
    ),
    "PolicyDiff": "files lines missing of unused",
    "RequestContext": (
        "account context issuer_arn mfa org_id provider resource_org_id session_name session_policies source_account "
        "source_arn source_ip source_vpc source_vpce tags via_service"
    ),
    "RequestQuotas": "active",
    "XksKey": "enabled id secret spec usage",
    "XksProxy": (
        "access_key_id endpoint failure keys online parameters path secret_access_key vpc_endpoint_service "
        "vpc_endpoint_service_owner"
    ),
    "__version__": "",
    "key_policy": "",
    "mock_kms": "",
}

#: Modules that may be imported by name; all others begin with an underscore.
MODULES = {"enclave", "errors", "plugin"}


def members(kind: object) -> set[str]:
    if not inspect.isclass(kind):
        return set()
    own = [each for each in kind.__mro__ if each.__module__.startswith("pytest_kmsmock")]
    names = {name for each in own for name in (*vars(each), *vars(each).get("__annotations__", {}))}
    return {name for name in names if not name.startswith("_")}


def test_the_public_names_are_these():
    assert sorted(pytest_kmsmock.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(pytest_kmsmock))
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        pytest_kmsmock.nope  # noqa: B018


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_members_are_these(name: str):
    assert members(getattr(pytest_kmsmock, name)) == set(PUBLIC[name].split())


def test_every_other_module_is_private():
    found = {module.name for module in iter_modules(pytest_kmsmock.__path__) if not module.name.startswith("_")}
    assert found == MODULES


def test_the_version_is_that_of_the_installed_package():
    assert pytest_kmsmock.__version__ == metadata.version("pytest-kmsmock")


def test_every_error_of_the_package_can_be_imported_and_caught():
    found = [each for each in vars(errors).values() if inspect.isclass(each) and each.__module__ == errors.__name__]
    assert all(issubclass(each, errors.KmsMockError | UserWarning) for each in found)


def test_type_checkers_see_the_same_names():
    """What they read stands beside what is loaded lazily."""
    source = Path(pytest_kmsmock.__file__).read_text()
    seen = source.partition("if TYPE_CHECKING:")[2].partition("#: Public")[0]
    names = set(re.findall(r"\b(\w+)(?=,|$)", "\n".join(re.findall(r"import (.*)", seen)), re.MULTILINE))
    assert names | {"mock_kms", "__version__"} == set(PUBLIC)


def test_importing_the_package_loads_none_of_them(run_python):
    loaded = run_python("import sys, pytest_kmsmock; print(*sys.modules)").split()
    assert not {"pytest_kmsmock._mock.kms_mock", "pytest_kmsmock._kms"} & set(loaded)


# --- the reference page ---------------------------------------------------------------------------------------------

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text()


def test_the_reference_has_every_public_name_once_and_nothing_else():
    described = re.findall(r"^\.\. (?:autofunction|autoclass|py:data):: (\w+)", REFERENCE, re.MULTILINE)
    of_errors = {name for name in PUBLIC if getattr(errors, name, None) is getattr(pytest_kmsmock, name)}
    assert sorted(described) == sorted(set(PUBLIC) - of_errors)
    assert ".. automodule:: pytest_kmsmock.errors" in REFERENCE
    assert "pytest_kmsmock._" not in REFERENCE.replace("pytest_kmsmock.__version__", "")


def test_the_reference_shows_public_members():
    for name, chosen in re.findall(r"^\.\. autoclass:: (\w+)\S*\n   :members:( .+)?", REFERENCE, re.MULTILINE):
        for member in filter(None, map(str.strip, chosen.split(","))):
            assert member in PUBLIC[name].split()
    for name in PUBLIC["KmsMock"].split():
        assert getattr(pytest_kmsmock.KmsMock, name).__doc__, name


def test_the_reference_has_fixtures_markers_options_and_commands():
    kinds = ("kms_mock", "kms_client", "kms_server")
    fixtures = [name for name in vars(plugin) if name.endswith(kinds) and not name.startswith("_")]
    named = [
        *fixtures,
        "@pytest.mark.kms_mock(**options)",
        "@pytest.mark.kms_allow_real_calls",
        "kms_mock_block_real_calls",
        "--kms-report",
        "--kms-policy",
        "pytest-kmsmock serve",
        "pytest-kmsmock migrate",
    ]
    assert [name for name in named if name not in REFERENCE] == []
    described = inspect.getdoc(pytest_kmsmock.Options) or ""
    assert [name for name in PUBLIC["Options"].split() if f"\n    {name}: " not in described] == []
