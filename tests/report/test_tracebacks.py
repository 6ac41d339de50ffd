"""What pytest shows of an error that is for the author of a test: the author's line is the last one."""

from __future__ import annotations

import re
import textwrap

import pytest

MISUSE = "InvalidArgument: create_key(): unknown argument 'KeySpec'. Did you mean 'spec'?"


def failure(result: pytest.RunResult) -> list[str]:
    """Return the lines of the only failure or error, without its title."""
    text = result.stdout.str()
    found = re.search(r"^_{3,} .+ _{3,}\n(.*?)^(?:=|-{10})", text, re.DOTALL | re.MULTILINE)
    assert found is not None, text
    return [line for line in found[1].splitlines() if line.strip(" ^")]


def test_a_misuse_in_a_test_and_what_it_calls(run):
    source = """
        def make(kms_mock):
            kms_mock.create_key(KeySpec="RSA_2048")

        def test_it(kms_mock):
            make(kms_mock)
    """
    assert failure(run(source, "--tb=short")) == [
        "test_it.py:5: in test_it",
        "    make(kms_mock)",
        "test_it.py:2: in make",
        '    kms_mock.create_key(KeySpec="RSA_2048")',
        f"E   pytest_kmsmock.errors.{MISUSE}",
    ]
    long = failure(run(source, "--tb=long"))
    assert long[-3:] == [
        '>       kms_mock.create_key(KeySpec="RSA_2048")',
        f"E       pytest_kmsmock.errors.{MISUSE}",
        "test_it.py:2: InvalidArgument",
    ]
    assert not [line for line in long if "pytest_kmsmock/" in line]


def test_a_misuse_in_a_unittest(run):
    source = """
        import unittest
        from pytest_kmsmock import mock_kms

        class TestIt(unittest.TestCase):
            @mock_kms
            def test_it(self):
                with mock_kms() as kms:
                    kms.create_key(KeySpec="RSA_2048")
    """
    assert failure(run(source, "--tb=short"))[-2:] == [
        '    kms.create_key(KeySpec="RSA_2048")',
        f"E   pytest_kmsmock.errors.{MISUSE}",
    ]


@pytest.mark.parametrize("style", ["short", "long"])
def test_a_call_that_is_blocked(run, style):
    source = """
        import botocore.session

        def test_it():
            client = botocore.session.Session().create_client("kms", "us-east-1")
            client.list_keys()
    """
    lines = failure(run(source, f"--tb={style}", ini="kms_mock_block_real_calls = true"))
    shown = [line for line in lines if "client.list_keys()" in line or line.startswith("E ")]
    assert "client.list_keys()" in shown[0]
    assert "RealKmsCall" in shown[1]
    assert not [line for line in lines if "botocore/" in line or "pytest_kmsmock/" in line]


@pytest.mark.parametrize(
    ("source", "where"),
    [
        pytest.param("""
            @pytest.mark.kms_mock(region="eu-wst-1")  # here
            def test_it(kms_mock): ...
        """, "@pytest.mark.kms_mock on test_it.py::test_it", id="marker"),
        pytest.param("""
            @mock_kms(region="eu-wst-1")  # here
            def test_it(): ...
        """, "mock_kms()", id="function"),
        pytest.param("""
            class TestIt(unittest.IsolatedAsyncioTestCase):
                @mock_kms(region="eu-wst-1")  # here
                async def test_it(self): ...
        """, "mock_kms()", id="coroutine"),
        pytest.param("""
            @mock_kms(region="eu-wst-1")
            class TestIt:
                def test_it(self): ...  # here
        """, "@pytest.mark.kms_mock on test_it.py::TestIt::test_it", id="class"),
        pytest.param("""
            @mock_kms(region="eu-wst-1")
            class TestIt(unittest.TestCase):
                def test_it(self): ...  # here
        """, "mock_kms()", id="TestCase"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("style", ["short", "long"])
def test_an_option_that_is_read_when_the_test_starts_shows_its_definition(run, source, where, style):
    imports = "import unittest\nimport pytest\nfrom pytest_kmsmock import mock_kms\n"
    source = imports + textwrap.dedent(source).strip()
    place = next(number for number, line in enumerate(source.splitlines(), 1) if "# here" in line)
    lines = failure(run(source, f"--tb={style}"))
    message = f"InvalidOption: {where}: unknown Region 'eu-wst-1'. Did you mean 'eu-west-1'?"
    assert [line.split()[-1] for line in lines if "# here" in line] == ["here"]
    assert [line for line in lines if line.startswith("E ")] == [f"E   pytest_kmsmock.errors.{message}"]
    assert [line for line in lines if line.startswith("test_it.py:")] == [
        f"test_it.py:{place}: in test_it" if style == "short" else f"test_it.py:{place}: InvalidOption"
    ]


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("call", ["make().list_keys()", 'requests.post("https://kms.eu-wst-1.amazonaws.com/")'])
def test_a_call_to_a_misspelt_region_shows_the_line_of_the_test_only(run, call, wire):
    lines = failure(run(f"""
        import botocore.session, pytest, requests

        def make():
            return botocore.session.Session().create_client("kms", "eu-wst-1")

        @pytest.mark.kms_mock(wire={wire})
        def test_it(kms_mock):
            {call}
    """, "--tb=short"))  # fmt: skip
    assert lines[:2] == ["test_it.py:8: in test_it", f"    {call}"]
    assert lines[2].startswith("E ")
    assert lines[2].endswith("Unknown Region 'eu-wst-1'. Did you mean 'eu-west-1'?")
    assert len(lines) == 3


def test_an_injected_failure_of_a_connection_is_shown_as_it_is(run):
    lines = failure(run("""
        def test_it(kms_mock):
            kms_mock.faults.add("ListKeys", error="EndpointConnectionError")
            kms_mock.client().list_keys()
    """, "--tb=short"))  # fmt: skip
    assert [line for line in lines if "botocore/client.py" in line]


def test_an_error_of_a_fixture_in_conftest_does_not_pass_through_the_plugin(run, pytester):
    pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("mine")
    """)
    assert failure(run("def test_it(broken): ...", "--tb=short", "-p", "no:asyncio")) == [
        "conftest.py:5: in broken",
        '    raise RuntimeError("mine")',
        "E   RuntimeError: mine",
    ]


@pytest.mark.parametrize("given", ['regoin="eu-west-1"', '"eu-west-1"'])
def test_a_wrong_option_at_import_shows_the_line_of_the_decorator(run, given):
    lines = failure(run(f"""
        from pytest_kmsmock import mock_kms

        @mock_kms({given})
        def test_it(): ...
    """))  # fmt: skip
    assert lines[:2] == ["test_it.py:3: in <module>", f"    @mock_kms({given})"]
    assert not [line for line in lines if "/pytest_kmsmock/" in line]


def test_an_error_of_aws_is_shown_as_it_is(run):
    lines = failure(run("""
        def test_it(kms_client):
            kms_client.describe_key(KeyId="alias/none")
    """, "--tb=short"))  # fmt: skip
    assert [line for line in lines if "botocore/client.py" in line]


def test_full_trace_shows_where_the_message_was_made(run):
    source = """
        def test_it(kms_mock):
            kms_mock.create_key(KeySpec="RSA_2048")
    """
    run(source, "--full-trace").stdout.fnmatch_lines(["*pytest_kmsmock/_runtime/arguments.py:*: InvalidArgument"])


def test_a_seed_that_aws_refuses_shows_no_inner_error(run):
    lines = failure(run("""
        def test_it(kms_mock):
            kms_mock.create_key(alias="orders")
    """, "--tb=short"))  # fmt: skip
    assert lines == [
        "test_it.py:2: in test_it",
        '    kms_mock.create_key(alias="orders")',
        "E   pytest_kmsmock.errors.InvalidSeed: create_key(): AWS refuses CreateAlias: ValidationException: Alias must "
        'start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html'
        ". Did you mean 'alias/orders'?",
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            'kms_mock.deploy("none.yaml")',
            "pytest_kmsmock.errors.InvalidSeed: none.yaml does not exist in {folder} (relative paths start from the "
            "working directory)",
        ),
        (
            'kms_mock.clock.advance(day=1)',
            "pytest_kmsmock.errors.InvalidArgument: advance() takes a timedelta or its keyword arguments, such as "
            "advance(days=30); got day=1.",
        ),
        (
            'kms_mock.clock.move_to("soon")',
            "pytest_kmsmock.errors.InvalidOption: Expected an ISO 8601 string such as '2030-01-01T12:00:00Z', got "
            "'soon'.",
        ),
        (
            "kms_mock.delays.grants = 5",
            "AttributeError: Unknown delay 'grants'. Choose from: creating, updating, rotating, connecting, "
            "disconnecting, eventual_consistency, data_key_reuse.",
        ),
        (
            "kms_mock.delays.eventual_consistancy = 5",
            "AttributeError: Unknown delay 'eventual_consistancy'. Did you mean 'eventual_consistency'? Choose from: "
            "creating, updating, rotating, connecting, disconnecting, eventual_consistency, data_key_reuse.",
        ),
        ("kms_mock.calls[0]", "IndexError: list index out of range"),
        (
            'mock_kms(region="eu-wst-1").start()',
            "pytest_kmsmock.errors.InvalidOption: mock_kms(): unknown Region 'eu-wst-1'. "
            "Did you mean 'eu-west-1'?",
        ),
    ],
)  # fmt: skip
def test_other_misuse_shows_the_line_of_the_test_only(run, pytester, line, error):
    lines = failure(run(f"""
        from pytest_kmsmock import mock_kms

        def test_it(kms_mock):
            {line}
    """, "--tb=short"))  # fmt: skip
    error = error.replace("{folder}", str(pytester.path))
    assert lines == ["test_it.py:4: in test_it", f"    {line}", f"E   {error}"]


def test_a_seed_with_a_malformed_policy_shows_the_line_of_the_test_only(run, pytester):
    pytester.makefile(".yaml", keys="keys: []\niam: {role/app: {Statement: []}}")
    lines = failure(run("""
        def test_it(kms_mock):
            kms_mock.seed("keys.yaml")
    """, "--tb=short"))  # fmt: skip
    assert lines == [
        "test_it.py:2: in test_it",
        '    kms_mock.seed("keys.yaml")',
        "E   pytest_kmsmock.errors.InvalidSeed: keys.yaml:2: iam['role/app']: iam.attach(arn:aws:iam::123456789012:"
        "role/app): AWS refuses this identity-based policy: Missing required field Statement",
    ]
