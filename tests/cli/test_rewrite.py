"""What becomes of test files that use moto for KMS."""

from __future__ import annotations

import textwrap

import pytest

from pytest_kmsmock._cli.rewrite import rewrite

#: Each before and after; lines without a sign of KMS get one at the end of both.
CASES = {
    "moto 4": (
        """
        from moto import mock_kms

        @mock_kms
        def test_it(): ...
        """,
        """
        from pytest_kmsmock import mock_kms

        @mock_kms
        def test_it(): ...
        """,
    ),
    "moto 4, other services": (
        """
        from moto import (  # what we use
            mock_kms,  # keys
            mock_s3,
        )
        from moto import mock_sqs, mock_kms as fake, mock_sns
        from moto import mock_ses, mock_kms
        """,
        """
        from moto import (  # what we use
            mock_s3,
        )
        from pytest_kmsmock import mock_kms
        from moto import mock_sqs, mock_sns
        from pytest_kmsmock import mock_kms as fake
        from moto import mock_ses
        from pytest_kmsmock import mock_kms
        """,
    ),
    "mocks of moto 4 and 5 in one import": (
        """
        from moto import mock_aws, mock_kms

        @mock_aws
        def test_it(): ...
        """,
        """
        from moto import mock_aws
        from pytest_kmsmock import mock_kms

        @mock_kms
        @mock_aws
        def test_it(): ...
        """,
    ),
    "moto 4, by the module": (
        """
        import moto

        @moto.mock_kms()
        @moto.mock_s3
        def test_it(): ...
        """,
        """
        import moto
        from pytest_kmsmock import mock_kms

        @mock_kms()
        @moto.mock_s3
        def test_it(): ...
        """,
    ),
    "decorators": (
        """
        import pytest
        from moto import mock_aws  # everything

        @pytest.fixture
        @mock_aws
        def keys():
            yield

        class TestIt:
            @mock_aws(config={"core": {}})
            async def test_it(self): ...  # größer

        @mock_aws
        class TestAll: ...
        """,
        """
        import pytest
        from moto import mock_aws
        from pytest_kmsmock import mock_kms  # everything

        @pytest.fixture
        @mock_kms
        @mock_aws
        def keys():
            yield

        class TestIt:
            @mock_kms
            @mock_aws(config={"core": {}})
            async def test_it(self): ...  # größer

        @mock_kms
        @mock_aws
        class TestAll: ...
        """,
    ),
    "with": (
        """
        import moto as m
        with m.mock_aws(): ...
        async def test_it():
            with (
                m.mock_aws() as aws,
                open("ä") as file,
            ):
                ...
        """,
        """
        import moto as m
        from pytest_kmsmock import mock_kms
        with m.mock_aws(), mock_kms(): ...
        async def test_it():
            with (
                m.mock_aws() as aws, mock_kms(),
                open("ä") as file,
            ):
                ...
        """,
    ),
    "imports inside of functions": (
        """
        def test_one():
            from moto import mock_aws
            with mock_aws(): ...
        def test_two():
        \tfrom moto import mock_aws
        \twith mock_aws(): ...
        """,
        """
        def test_one():
            from moto import mock_aws
            from pytest_kmsmock import mock_kms
            with mock_aws(), mock_kms(): ...
        def test_two():
        \tfrom moto import mock_aws
        \tfrom pytest_kmsmock import mock_kms
        \twith mock_aws(), mock_kms(): ...
        """,
    ),
    "a test that is in a mock": (
        """
        from moto import mock_aws

        @mock_aws
        def test_it(kms_mock): ...
        """,
        None,
    ),
    "rewritten before": (
        """
        from moto import mock_aws
        from pytest_kmsmock import mock_kms

        @mock_kms
        @mock_aws
        def test_it(): ...
        """,
        None,
    ),
    "no moto": ("import boto3\n", None),
}
EMPTY = "use kms_mock.keys and kms_mock.create_key() instead of moto.kms, which has no keys beside mock_kms"
OUTSIDE = "use the fixture class_kms_mock for the KMS calls of setUpClass, which runs outside of the mocks of the tests"
SET_UP = "put @mock_kms on the class: {} and the test then run in its mock"
SET_UP_CLASS = "start a mock_kms() in {} too, and stop it with this one: @mock_kms on the class begins with each test"
SIGN = 'boto3.client("kms")'


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_file_is_rewritten(before, after, newline):
    before, after = (textwrap.dedent(text).lstrip() + SIGN for text in (before, before if after is None else after))
    result = rewrite(before.replace("\n", newline))
    assert result.text == after.replace("\n", newline)
    assert result.notes == []
    assert result.uses_kms
    compile(result.text, "after", "exec")
    assert rewrite(result.text).text == result.text, "a second time changes nothing"


def test_a_byte_order_mark_stays_where_it_is():
    assert rewrite("\ufefffrom moto import mock_kms").text == "\ufefffrom pytest_kmsmock import mock_kms"


@pytest.mark.parametrize(
    "sign",
    [
        'boto3.client("kms")', 'session.resource(service_name="kms")', 'create_client("kms")', 'f(KmsKeyId=key)',
        'key = "alias/orders"', '{"ServerSideEncryption": "aws:kms"}',
    ],
)  # fmt: skip
def test_kms_shows_by_clients_parameters_and_strings(sign):
    source = "from moto import mock_aws\nwith mock_aws(): ...\n"
    assert "mock_kms()" in rewrite(source + sign).text
    for other in ('boto3.client("s3")', "client(name)", "f(Key=key)", "x = 1"):
        result = rewrite(source + other)
        assert (result.text, result.left) == (source + other, True)
    assert "mock_kms()" in rewrite(source, kms_is_used=True).text


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        pytest.param(
            "from moto import mock_aws\nmock = mock_aws()\nmock.start()",
            [
                (
                    2,
                    "start and stop a mock_kms() here too, or use the fixture kms_mock, or @mock_kms on the class",
                )
            ],
            id="started",
        ),
        pytest.param(
            "import moto.kms.models\nfrom moto.kms import models",
            [(line, EMPTY) for line in (1, 2)],
            id="insides",
        ),
        pytest.param(
            "from moto.server import ThreadedMotoServer",
            [
                (
                    1,
                    "add kms_server or `pytest-kmsmock serve`: moto's server has none of the keys of mock_kms",
                )
            ],
            id="server",
        ),
        pytest.param(
            "from moto import *",
            [(1, "import mock_kms from pytest_kmsmock: `from moto import *` was not rewritten")],
            id="star",
        ),
        pytest.param(
            "from moto import mock_aws\n@mock_aws\nclass T:\n    def setUpClass(cls):\n        boto3.client('kms')",
            [(4, OUTSIDE)],
            id="class",
        ),
    ],
)
def test_notes_for_a_person(source, notes):
    assert [tuple(note) for note in rewrite(f"{source}\n{SIGN}").notes] == notes


@pytest.mark.parametrize(
    ("method", "note"),
    [
        ("setup_method", SET_UP), ("setUp", SET_UP), ("asyncSetUp", SET_UP),
        ("setup_class", SET_UP_CLASS), ("setUpClass", SET_UP_CLASS),
    ],
)  # fmt: skip
def test_a_mock_that_is_started_for_a_class_has_its_own_advice(method, note):
    source = f"""
    from moto import mock_aws

    class TestIt:
        def {method}(self):
            self.mock = mock_aws()
            self.mock.start()
            {SIGN}
    """
    assert [tuple(note) for note in rewrite(textwrap.dedent(source).lstrip()).notes] == [(5, note.format(method))]


ADVISED = """
    import unittest
    import boto3
    from moto import mock_aws
    from pytest_kmsmock import mock_kms

    @mock_kms
    class TestEach:
        def setup_method(self):
            self.mock = mock_aws()
            self.mock.start()
            self.kms = boto3.client("kms", "us-east-1")
            assert self.kms.create_key()["KeyMetadata"]["MultiRegion"] is False

        def teardown_method(self):
            self.mock.stop()

        def test_one(self):
            assert len(self.kms.list_keys()["Keys"]) == 1
            assert boto3.client("s3", "us-east-1").list_buckets()["Buckets"] == []

        test_two = test_one

    class TestAll(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.mocks = mock_aws(), mock_kms()
            for mock in cls.mocks:
                mock.start()
            cls.kms = boto3.client("kms", "us-east-1")
            cls.kms.create_key()

        @classmethod
        def tearDownClass(cls):
            for mock in cls.mocks:
                mock.stop()

        def test_one(self):
            assert len(self.kms.list_keys()["Keys"]) == 1
            assert boto3.client("s3", "us-east-1").list_buckets()["Buckets"] == []
"""


def test_what_is_advised_for_classes_works(pytester, few_plugins):
    pytester.makepyfile(ADVISED)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "own",
    [
        "def mock_kms(): ...",
        "async def mock_kms(): ...",
        "def test(mock_kms): ...",
        "mock_kms = 1",
        "class mock_kms: 1",
    ],
)
def test_a_name_of_the_file_is_not_taken_from_it(own):
    source = f"from moto import mock_aws\nwith mock_aws(): ...\n{own}\n{SIGN}"
    result = rewrite(source)
    assert result.text == source
    assert [tuple(note) for note in result.notes] == [
        (3, "rename the mock_kms of this file and run migrate again: nothing was changed here")
    ]
