"""The pytest plugin, run as a user's pytest would run it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from pytest_kmsmock._runtime.options import Options


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Run a test file in this process and return the result."""

    def run_file(source: str, *arguments: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\nasyncio_default_fixture_loop_scope = function\n{ini}")
        pytester.makepyfile(test_it=source)
        return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)

    return run_file


def test_fixtures_give_a_client_and_a_handle_of_the_same_mock(run):
    run("""
        import boto3

        def test_it(kms_mock, kms_client):
            arn = kms_client.create_key()["KeyMetadata"]["Arn"]
            assert kms_mock.calls[-1].operation == "CreateKey"
            assert boto3.client("kms").list_keys()["Keys"][0]["KeyArn"] == arn

        def test_state_is_gone(kms_client):
            assert kms_client.list_keys()["Keys"] == []
    """).assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_kms_mock_begins_with_a_copy_of_a_wider_mock(run, scope):
    run(f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def key_id({scope}_kms_mock):
            return {scope}_kms_mock.client().create_key()["KeyMetadata"]["KeyId"]

        class TestIt:
            def test_first(self, key_id, kms_client):
                kms_client.disable_key(KeyId=key_id)
                kms_client.create_key()
                assert len(kms_client.list_keys()["Keys"]) == 2

            def test_second(self, key_id, kms_client):
                assert len(kms_client.list_keys()["Keys"]) == 1
                assert kms_client.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"]

            def test_wide_state_stays_when_a_test_uses_it_directly(self, key_id, {scope}_kms_mock):
                {scope}_kms_mock.client().create_key()
                assert len({scope}_kms_mock.client().list_keys()["Keys"]) == 2
    """).assert_outcomes(passed=3)


@pytest.mark.parametrize("is_older", [pytest.param(False, id="pytest-9.1"), pytest.param(True, id="pytest-8")])
def test_each_package_has_a_mock_of_its_own(pytester, run, monkeypatch, is_older):
    """pytest keeps for the whole session what a plugin defines for packages."""
    if is_older:
        monkeypatch.delattr(pytest, "register_fixture", raising=False)
    makes_a_key = """
        def test_first(package_kms_mock):
            assert package_kms_mock.client().list_keys()["Keys"] == []
            package_kms_mock.client().create_key()

        def test_second(package_kms_mock):
            assert len(package_kms_mock.client().list_keys()["Keys"]) == 1
    """
    for name in ("one", "other"):
        pytester.mkpydir(name).joinpath("test_package.py").write_text(textwrap.dedent(makes_a_key), "utf-8")
    outside = """
        def test_outside(kms_client):
            assert kms_client.list_keys()["Keys"] == []
    """
    run(outside, "one", "other", "test_it.py", "-W", "ignore:.*parsefactories").assert_outcomes(passed=5)


def test_the_marker_alone_puts_a_test_in_a_mock(run):
    run("""
        import boto3, pytest

        @pytest.mark.kms_mock(region="eu-west-1", account="111122223333")
        def test_it():
            arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
            assert arn.startswith("arn:aws:kms:eu-west-1:111122223333:key/")
    """).assert_outcomes(passed=1)


def test_markers_add_up_from_module_to_function(run):
    run("""
        import pytest
        pytestmark = pytest.mark.kms_mock(region="eu-west-1", account="111122223333")

        @pytest.mark.kms_mock(region="eu-north-1")
        def test_it(kms_mock):
            assert (kms_mock.region, kms_mock.account) == ("eu-north-1", "111122223333")
    """).assert_outcomes(passed=1)


def test_a_module_scoped_mock_takes_the_modules_marker(run):
    run("""
        import pytest
        pytestmark = pytest.mark.kms_mock(account="111122223333")

        def test_it(module_kms_mock):
            assert module_kms_mock.account == "111122223333"
    """).assert_outcomes(passed=1)


def test_a_marked_class_begins_its_mock_before_its_own_fixtures(run):
    run("""
        import boto3, pytest

        @pytest.mark.kms_mock
        class TestIt:
            @pytest.fixture(autouse=True)
            def key(self):
                self.key_id = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]

            def test_it(self):
                assert boto3.client("kms").describe_key(KeyId=self.key_id)
    """).assert_outcomes(passed=1)


def test_a_fixture_of_a_marked_test_may_use_kms(run):
    run("""
        import boto3, pytest

        @pytest.fixture
        def key_id():
            return boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]

        @pytest.mark.kms_mock
        def test_it(key_id, kms_mock):
            assert kms_mock.client().describe_key(KeyId=key_id)
    """).assert_outcomes(passed=1)


def test_a_marked_doctest_or_foreign_item_is_left_alone(run):
    run(
        '''
        def function():
            """
            >>> 1 + 1
            2
            """
    ''',
        "--doctest-modules",
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        pytest.param('"eu-west-1"', "takes keyword arguments only, such as region='eu-west-1'", id="positional"),
        pytest.param('"111122223333"', "takes keyword arguments only, such as account='111122223333'", id="account"),
        pytest.param('regoin="x"', "unknown option 'regoin'. Did you mean 'region'?", id="misspelt"),
        pytest.param("account=1", "account must be 12 digits", id="type"),
    ],
)
def test_a_wrong_marker_says_what_is_right(run, marker, message):
    result = run(f"""
        import pytest

        @pytest.mark.kms_mock({marker})
        def test_it(kms_mock): ...
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*InvalidOption: @pytest.mark.kms_mock on test_it.py::test_it: *{message}*"])


def test_ini_and_command_line_give_defaults(run):
    source = """
        def test_it(kms_mock):
            print("got", kms_mock.region, kms_mock.account, kms_mock.options.enforce_policies)
    """
    ini = "kms_mock_region = eu-west-1\nkms_mock_account = 111122223333\nkms_mock_enforce_policies = false"
    result = run(source, "-s", ini=ini)
    result.stdout.fnmatch_lines(["*got eu-west-1 111122223333 False*"])
    result = run(source, "-s", "--kms-region", "eu-north-1", "--kms-enforce-policies", "yes", ini=ini)
    result.stdout.fnmatch_lines(["*got eu-north-1 111122223333 True*"])


@pytest.mark.parametrize(
    ("ini", "arguments", "marker", "where"),
    [
        ("kms_mock_region = eu-wst-1", [], "", "ini file"),
        ("kms_mock_region = eu-west-1", ["--kms-region", "eu-wst-1"], "", "command line"),
        ("", [], 'region="eu-wst-1"', "@pytest.mark.kms_mock on test_it.py::test_it"),
        ("kms_mock_region = eu-wst-1", [], "wire=True", "ini file"),
    ],
)
def test_a_misspelt_region_says_where_it_was_given(run, ini, arguments, marker, where):
    source = f"""
        import pytest

        @pytest.mark.kms_mock({marker})
        def test_it(kms_mock): ...
    """
    told = f"*InvalidOption: {where}: unknown Region 'eu-wst-1'. Did you mean 'eu-west-1'?"
    run(source, *arguments, ini=ini).stdout.fnmatch_lines([told])


#: Option -> as text in an ini file and on the command line, and what it then is; none of them is the default.
OPTIONS = {
    "region": ("eu-west-1", "eu-west-1"),
    "account": ("111122223333", "111122223333"),
    "enforce_policies": ("no", False),
    "fresh": ("yes", True),
    "wire": ("yes", True),
    "deterministic": ("yes", True),
    "seed": ("keys.json", "keys.json"),
    "seed_strict": ("yes", True),
    "request_quotas": ("yes", True),
    "hygiene": ("warn", "warn"),
    "hygiene_checks": ("wildcard-principal", ("wildcard-principal",)),
    "unused_faults": ("warn", "warn"),
    "share_with_children": ("yes", True),
    "moto_policies": ("no", False),
    "max_calls": ("50", 50),
    "endpoint_urls": ("http://localhost:4566", ("http://localhost:4566",)),
    "services": ("off", ("off",)),
}


@pytest.mark.parametrize("place", ["ini", "command line", "marker"])
def test_every_option_can_be_given_in_every_place(run, pytester, place):
    assert tuple(OPTIONS) == Options._fields
    pytester.path.joinpath("keys.json").write_text('{"keys": [{"alias": "alias/seeded"}]}')
    given = {name: value for name, (_, value) in OPTIONS.items()}
    texts = {name: text for name, (text, _) in OPTIONS.items()}
    expected = given | {"seed": str(pytester.path / "keys.json")}
    result = run(
        f"""
        import pytest

        @pytest.mark.kms_mock(**{given if place == "marker" else {}!r})
        def test_it(kms_mock):
            assert kms_mock.options._asdict() == {expected!r}
            assert "alias/seeded" in kms_mock.keys
        """,
        *(
            [f"--kms-{name.replace('_', '-')}={text}" for name, text in texts.items()]
            if place == "command line"
            else []
        ),
        ini="\n".join(f"kms_mock_{name} = {text}" for name, text in texts.items()) if place == "ini" else "",
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "ini", "message"),
    [
        pytest.param(
            (),
            "kms_mock_wire = perhaps",
            "*ini file: kms_mock_wire: expected yes or no, got 'perhaps'.*",
            id="ini truth",
        ),
        pytest.param((), "kms_mock_block_real_calls = maybe", "*ini file: kms_mock_block_real_calls: *", id="guard"),
        pytest.param((), "kms_mock_region = Ireland", "*ini file: region must be a Region*", id="ini"),
        pytest.param(("--kms-region", "Ireland"), "", "*command line: region must be a Region*", id="command-line"),
        pytest.param(("--kms-wire", "perhaps"), "", "*--kms-wire: expected yes or no, got 'perhaps'*", id="truth"),
    ],
)
def test_wrong_defaults_stop_the_run_with_a_reason(run, arguments, ini, message):
    result = run("def test_it(): ...", *arguments, ini=ini)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("kms_mock_regoin", " Did you mean 'kms_mock_region'?", id="option"),
        pytest.param("kms_mock_account_id", " Did you mean 'kms_mock_account'?", id="option of an earlier release"),
        pytest.param("kms_mock_block_calls", " Did you mean 'kms_mock_block_real_calls'?", id="guard"),
        pytest.param("kms_mock_xyz", "", id="unlike any"),
        pytest.param("kms_region", " Did you mean 'kms_mock_region'?", id="shorter prefix"),
        pytest.param("kms_block_real_calls", " Did you mean 'kms_mock_block_real_calls'?", id="guard, shorter prefix"),
    ],
)
def test_a_misspelt_ini_option_stops_the_run_with_the_right_one(run, name, hint):
    result = run("def test_it(): ...", ini=f"{name} = x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    known = ", ".join(f"kms_mock_{option}" for option in (*Options._fields, "block_real_calls"))
    assert f"ini file: unknown option {name!r}.{hint} Choose from: {known}." in result.stderr.str()


def test_an_ini_option_of_another_plugin_may_begin_alike(run, pytester):
    pytester.makeconftest('def pytest_addoption(parser): parser.addini("kms_mock_keys", "keys of my own")')
    run("def test_it(): ...", ini="kms_mock_keys = x").assert_outcomes(passed=1)


def test_an_unknown_ini_option_that_is_unlike_all_here_passes(run):
    run("def test_it(): ...", ini="kms_xyz = x").assert_outcomes(passed=1, warnings=1)


def test_the_markers_are_registered(run):
    result = run("def test_it(): ...", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.kms_mock(*", "@pytest.mark.kms_allow_real_calls*"])


@pytest.mark.parametrize("given", ["False", "reason='no'"])
def test_the_marker_for_real_calls_takes_no_arguments(run, given):
    source = f"""
        import pytest

        @pytest.mark.kms_allow_real_calls({given})
        def test_it(): ...
    """
    told = "*InvalidOption: @pytest.mark.kms_allow_real_calls on test_it.py::test_it: takes no arguments. Leave *"
    result = run(source, ini="kms_mock_block_real_calls = true")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])


BLOCKED = """
    import boto3, pytest

    def client():
        return boto3.client("kms", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
                            endpoint_url="http://127.0.0.1:9")

    def test_outside():
        client().create_key()

    def test_inside(kms_mock):
        kms_mock.client().create_key()

    @pytest.mark.kms_allow_real_calls
    def test_allowed():
        from botocore.config import Config
        from botocore.exceptions import EndpointConnectionError
        with pytest.raises(EndpointConnectionError):
            boto3.client(
                "kms", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
                endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1}),
            ).create_key()
"""


def test_real_calls_are_blocked_on_demand(run):
    result = run(BLOCKED, ini="kms_mock_block_real_calls = true")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([
        "*RealKmsCall: Test test_it.py::test_outside (call) called KMS CreateKey outside a mock*",
        "*use the kms_mock fixture, @mock_kms or `with mock_kms():`*",
        "*mark it with @pytest.mark.kms_allow_real_calls*",
    ])  # fmt: skip


def test_nothing_is_blocked_afterwards(run):
    run(BLOCKED, ini="kms_mock_block_real_calls = true")
    from pytest_kmsmock._runtime import network_guard

    assert not network_guard.blocking
    network_guard.check_real_call("CreateKey")


def test_a_run_that_never_uses_kms_imports_nothing_heavy(pytester: pytest.Pytester):
    pytester.makepyfile("""
        import sys

        def test_it():
            heavy = {"botocore", "boto3", "cryptography", "responses", "requests", "moto", "yaml"}
            assert not heavy & set(sys.modules)
    """)
    code = (
        "import pytest; raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'pytest_kmsmock.plugin']))"
    )
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=pytester.path
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_kms_fixtures_under_xdist(pytester: pytest.Pytester, few_plugins: None):
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(20))
        def test_it(kms_client, n):
            kms_client.create_key()
            assert len(kms_client.list_keys()["Keys"]) == 1
    """)
    pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider", "-W", "default").assert_outcomes(passed=20)


def test_a_fixture_of_the_same_name_keeps_the_options_of_the_test(run):
    """pytest sets up ours for it, with the markers of the test that asks for it and not of an earlier one."""
    run(
        """
        import pytest

        @pytest.fixture
        def kms_mock(kms_mock):
            kms_mock.client().create_alias(AliasName="alias/app", TargetKeyId=kms_mock.create_key().id)
            return kms_mock

        @pytest.mark.kms_mock(region="eu-west-1")
        def test_marked(kms_mock):
            assert kms_mock.client().describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"].split(":")[3] == "eu-west-1"

        @pytest.mark.parametrize("number", range(2))
        def test_not_marked(request, number):
            assert request.getfixturevalue("kms_mock").region == "us-east-1"
        """
    ).assert_outcomes(passed=3)
