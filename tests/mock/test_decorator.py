"""`mock_kms` in each of its forms, and how scopes nest."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import os
import threading
import unittest
from pathlib import Path

import boto3
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

# A run in this process forgets the modules that it imported; the hook in botocore must not be registered twice.
import pytest_kmsmock._mock.kms_mock  # noqa: F401
from pytest_kmsmock import Options, mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock.errors import InvalidOption, NotActive


def key_count() -> int:
    return len(boto3.client("kms", region_name="us-east-1").list_keys()["Keys"])


def make_key() -> str:
    return boto3.client("kms", region_name="us-east-1").create_key()["KeyMetadata"]["KeyId"]


# --- decorators ----------------------------------------------------------------------------------------------------


@mock_kms
def test_bare_decorator():
    make_key()
    assert key_count() == 1


@mock_kms(account="111122223333")
def test_called_decorator_takes_options():
    arn = boto3.client("kms", region_name="us-east-1").create_key()["KeyMetadata"]["Arn"]
    assert arn.split(":")[4] == "111122223333"


def test_each_call_of_a_decorated_function_begins_empty():
    @mock_kms
    def use() -> int:
        make_key()
        return key_count()

    assert [use(), use()] == [1, 1]


def test_a_decorated_function_keeps_its_name_and_signature():
    @mock_kms
    def use(first: int, *, second: str = "x") -> None:
        """Use it."""

    assert use.__name__ == "use"
    assert use.__doc__ == "Use it."
    assert list(inspect.signature(use).parameters) == ["first", "second"]


@pytest.mark.parametrize("value", [1, 2])
@mock_kms
def test_a_decorated_test_still_gets_fixtures_and_parameters(value, tmp_path):
    assert value in (1, 2)
    assert tmp_path.is_dir()
    assert key_count() == 0


@pytest.mark.asyncio
@mock_kms
async def test_coroutine_function():
    make_key()
    await asyncio.sleep(0)
    assert key_count() == 1


def test_a_decorated_coroutine_function_stays_one():
    @mock_kms
    async def use() -> None: ...

    assert inspect.iscoroutinefunction(use)


class WithMethods:
    @mock_kms(region="eu-west-1")
    @staticmethod
    def count() -> int:
        make_key()
        return key_count()

    @mock_kms
    @classmethod
    async def count_async(cls) -> int:
        make_key()
        return key_count()


def test_static_and_class_methods_stay_what_they_are():
    assert WithMethods.count() == WithMethods().count() == 1
    assert asyncio.run(WithMethods.count_async()) == asyncio.run(WithMethods().count_async()) == 1


def test_an_object_that_is_called_asynchronously():
    class Use:
        async def __call__(self) -> int:
            make_key()
            return key_count()

    assert asyncio.run(mock_kms(Use())()) == 1


def test_a_coroutine_that_would_run_after_its_mock_is_refused():
    async def use() -> None: ...

    @mock_kms
    def call():
        return use()

    with pytest.raises(InvalidOption, match=r"call at 0x.* returned a coroutine, which would run after its mock"):
        call()


def test_a_fixture_is_decorated_below():
    with pytest.raises(InvalidOption, match=r"^keys is a fixture: write @mock_kms below @pytest.fixture, not above it"):

        @mock_kms
        @pytest.fixture
        def keys(): ...


@mock_kms
def _keys_for_a_test():
    yield make_key()


@pytest.fixture
def key_from_generator_fixture():
    yield from _keys_for_a_test()


@pytest.fixture
@mock_kms
def decorated_generator_fixture():
    yield make_key()


def test_generator_fixture(decorated_generator_fixture):
    assert key_count() == 1


@pytest_asyncio.fixture
@mock_kms
async def decorated_async_generator_fixture():
    yield make_key()


@pytest.mark.asyncio
async def test_async_generator_fixture(decorated_async_generator_fixture):
    assert boto3.client("kms", region_name="us-east-1").describe_key(KeyId=decorated_async_generator_fixture)
    assert key_count() == 1


@mock_kms
async def _async_keys():
    yield make_key()


@pytest.mark.asyncio
async def test_async_generator():
    async for key_id in _async_keys():
        assert boto3.client("kms", region_name="us-east-1").describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"]
        assert key_count() == 1


@pytest.mark.asyncio
async def test_values_exceptions_and_closing_reach_an_async_generator_inside_its_mock():
    happened = []

    @mock_kms
    async def keys():
        try:
            happened.append((yield make_key()))
            yield make_key()
        except ValueError:
            happened.append("caught")
            yield make_key()
        finally:
            happened.append(key_count())

    generator = keys()
    await generator.__anext__()
    await generator.asend("sent")
    await generator.athrow(ValueError("mine"))
    await generator.aclose()
    assert happened == ["sent", "caught", 3]


@pytest.mark.asyncio
async def test_a_decorated_async_context_manager_handles_its_blocks_exception():
    handled = []

    @contextlib.asynccontextmanager
    @mock_kms
    async def manager():
        try:
            yield make_key()
        except ValueError:
            handled.append(key_count())

    async with manager():
        raise ValueError("mine")
    assert handled == [1]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        pytest.param("eu-west-1", "region='eu-west-1'", id="Region"),
        pytest.param("111122223333", "account='111122223333'", id="account"),
        pytest.param("tests/keys.yaml", "seed='tests/keys.yaml'", id="seed file"),
        pytest.param(3, "region='eu-west-1'", id="something else"),
    ],
)
def test_an_option_without_its_name_is_refused_with_the_name(given, hint):
    with pytest.raises(InvalidOption) as refused:
        mock_kms(given)
    assert str(refused.value) == (
        f"mock_kms({given!r}): mock_kms decorates functions and classes, and takes options by name, "
        f"such as mock_kms({hint})."
    )


# --- classes -------------------------------------------------------------------------------------------------------


@mock_kms
class TestClass:
    def setup_method(self):
        self.key_id = make_key()

    def test_one(self):
        make_key()
        assert key_count() == 2

    def test_two(self):
        assert key_count() == 1


@mock_kms
class TestOuter:
    class TestNested:
        def setup_method(self):
            make_key()

        def test_inside(self):
            assert key_count() == 1


class TestInherited(TestClass):
    def test_three(self):
        assert key_count() == 1


@mock_kms(account="111122223333")
class TestWithOptions:
    def test_options_reach_the_tests(self, kms_mock):
        assert kms_mock.account == "111122223333"

    @pytest.mark.kms_mock(region="eu-west-1")
    def test_a_marker_inside_adds_to_them(self, kms_mock):
        assert (kms_mock.account, kms_mock.region) == ("111122223333", "eu-west-1")


@mock_kms
class CaseTest(unittest.TestCase):
    def setUp(self) -> None:
        self.key_id = make_key()
        self.addCleanup(lambda: self.assertEqual(key_count(), 1))

    def tearDown(self) -> None:
        self.assertEqual(key_count(), 1)

    def test_one(self) -> None:
        self.assertEqual(key_count(), 1)

    def test_two(self) -> None:
        self.assertEqual(key_count(), 1)


class InheritedCaseTest(CaseTest):
    def test_three(self) -> None:
        self.assertEqual(key_count(), 1)


@mock_kms
class AsyncCaseTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        make_key()

    async def test_it(self) -> None:
        self.assertEqual(key_count(), 1)


def test_a_test_case_works_without_pytest():
    result = unittest.TestResult()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(InheritedCaseTest)
    suite.run(result)
    assert result.testsRun == 3
    assert result.wasSuccessful(), result.failures + result.errors


# --- context managers ----------------------------------------------------------------------------------------------


def test_with():
    with mock_kms() as kms:
        assert kms.active
        make_key()
        assert key_count() == 1
    assert not kms.active


@pytest.mark.asyncio
async def test_async_with():
    async with mock_kms() as kms:
        make_key()
        assert key_count() == 1
    assert not kms.active


@pytest.mark.asyncio
async def test_async_with_ends_after_an_exception():
    with pytest.raises(RuntimeError, match="mine"):
        async with mock_kms() as kms:
            raise RuntimeError("mine")
    assert not kms.active


def test_start_and_stop():
    decorator = mock_kms()
    kms = decorator.start()
    try:
        assert kms.client().list_keys()["Keys"] == []
    finally:
        decorator.stop()
    with pytest.raises(NotActive, match=r"stop\(\) without start\(\)"):
        decorator.stop()


def test_everything_ends_after_an_exception():
    with pytest.raises(RuntimeError, match="mine"), mock_kms() as kms:
        raise RuntimeError("mine")
    assert not kms.active
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_one_object_can_be_entered_twice():
    decorator = mock_kms()
    with decorator as outer:
        make_key()
        with decorator as inner:
            assert inner is not outer
            make_key()
            assert key_count() == 2
        assert key_count() == 1


def test_a_handle_makes_no_clients_after_its_mock():
    with mock_kms() as kms:
        pass
    with pytest.raises(NotActive, match="This mock has ended"):
        kms.client()


# --- nesting -------------------------------------------------------------------------------------------------------


def test_a_nested_mock_begins_as_a_copy_and_rolls_back():
    with mock_kms() as outer:
        client = outer.client()
        key_id = client.create_key(Description="before")["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/outer", TargetKeyId=key_id)
        blob = client.encrypt(KeyId=key_id, Plaintext=b"made outside")["CiphertextBlob"]
        with mock_kms():
            assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"made outside"
            client.update_key_description(KeyId=key_id, Description="inside")
            client.delete_alias(AliasName="alias/outer")
            client.schedule_key_deletion(KeyId=key_id)
            make_key()
            assert key_count() == 2
        assert key_count() == 1
        metadata = client.describe_key(KeyId="alias/outer")["KeyMetadata"]
        assert (metadata["Description"], metadata["KeyState"]) == ("before", "Enabled")


def test_material_first_used_in_a_nested_mock_is_the_outer_keys_own():
    with mock_kms() as outer:
        client = outer.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        with mock_kms():
            blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_fresh_mock_begins_empty():
    with mock_kms():
        make_key()
        with mock_kms(fresh=True):
            assert key_count() == 0
        assert key_count() == 1


def test_the_clock_of_a_nested_mock_begins_at_the_outer_time_and_runs_alone():
    with mock_kms() as outer:
        outer.clock.freeze("2030-01-01")
        with mock_kms() as inner:
            assert inner.clock.now() == outer.clock.now()
            inner.clock.advance(days=3)
            assert inner.clock.now() > outer.clock.now()


# --- isolation -----------------------------------------------------------------------------------------------------


def test_threads_of_a_test_share_its_mock():
    with mock_kms():
        threads = [threading.Thread(target=make_key) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert key_count() == 8


def test_threads_that_each_enter_a_mock_do_not_see_each_other():
    entered, done = threading.Event(), threading.Event()

    def other():
        with mock_kms(region="eu-west-1") as kms:
            kms.client().create_key()
            entered.set()
            done.wait()

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait()
    with mock_kms() as kms:
        assert kms.client().list_keys()["Keys"] == []
        assert kms.options.region is None
    done.set()
    thread.join()


def test_a_thread_that_enters_a_mock_begins_with_that_of_the_test():
    with mock_kms() as outer:
        outer.client().create_key()
        found = []

        def other():
            with mock_kms():
                found.append(key_count())

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert found == [1]


@pytest.mark.asyncio
async def test_tasks_that_each_enter_a_mock_do_not_see_each_other():
    async def use(keys: int) -> int:
        async with mock_kms():
            for _ in range(keys):
                make_key()
                await asyncio.sleep(0)
            return key_count()

    assert await asyncio.gather(*(use(keys) for keys in range(1, 6))) == [1, 2, 3, 4, 5]


@pytest.mark.asyncio
async def test_tasks_share_the_object_and_still_do_not_see_each_other():
    decorator = mock_kms()

    async def use(keys: int) -> int:
        async with decorator:
            for _ in range(keys):
                make_key()
                await asyncio.sleep(0)
            return key_count()

    assert await asyncio.gather(*(use(keys) for keys in range(1, 6))) == [1, 2, 3, 4, 5]


@pytest.mark.asyncio
async def test_tasks_of_a_test_share_the_mock_around_them():
    async with mock_kms():

        async def use() -> None:
            make_key()
            await asyncio.sleep(0)

        await asyncio.gather(*(use() for _ in range(4)))
        assert key_count() == 4


def test_a_context_that_outlives_its_mock_sees_the_one_around_it():
    with mock_kms() as outer:
        outer.client().create_key()
        with mock_kms():
            make_key()
            context = contextvars.copy_context()
        assert context.run(key_count) == 1


def test_a_mock_left_out_of_order_leaves_the_others_alone():
    first, second = mock_kms(), mock_kms()
    first.start()
    second.start()
    make_key()
    first.stop()
    assert key_count() == 1
    second.stop()
    assert "AWS_ACCESS_KEY_ID" not in os.environ


# --- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"regoin": "eu-west-1"}, r"unknown option 'regoin'\. Did you mean 'region'\?", id="misspelt"),
        pytest.param({"zzz": 1}, r"unknown option 'zzz'\. Choose from: region, account", id="unknown"),
        pytest.param({"region": "Ireland"}, r"region must be a Region such as 'eu-west-1', not 'Ireland'", id="region"),
        pytest.param(
            {"account": 111122223333}, "account must be 12 digits such as '111122223333', as a string", id="int"
        ),
        *(
            pytest.param({name: None}, f"{name} must be ", id=f"{name} of none")
            for name in Options._fields
            if name not in ("region", "seed")
        ),
        pytest.param({"seed": ""}, "seed must be the path of a file, not ''", id="empty path"),
        pytest.param(
            {"seed": ["a.yaml", "b\0.yaml"]}, r"seed must be the path of a file, not 'b\\x00.yaml'", id="null"
        ),
        pytest.param({"wire": "yes"}, "wire must be True or False, not 'yes'", id="boolean"),
        pytest.param({"max_calls": 0}, "max_calls must be a whole number from 1 on, not 0", id="number"),
        pytest.param({"max_calls": "many"}, "max_calls must be a whole number from 1 on, not 'many'", id="no number"),
        pytest.param({"endpoint_urls": 3}, "endpoint_urls must be a string or a list of strings, not 3", id="texts"),
        pytest.param(
            {"endpoint_urls": ["http://localhost:4566", "localhost:1"]},
            "endpoint_urls must be addresses such as 'http://localhost:4566', not 'localhost:1'",
            id="addresses",
        ),
        *(
            pytest.param({"endpoint_urls": url}, "endpoint_urls must be addresses such as", id=url)
            for url in ("http://localhost:65536", "http://localhost:0", "http://localhost:http", "http://[::1")
        ),
    ],
)
def test_wrong_options_say_what_is_right(options, message):
    with pytest.raises(InvalidOption, match=message):
        mock_kms(**options)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(
            lambda kms: kms.client(region=5),
            "client(): region must be a Region such as 'eu-west-1', not 5.",
            id="client",
        ),
        pytest.param(
            lambda kms: kms.async_client(region=5),
            "async_client(): region must be a Region such as 'eu-west-1', not 5.",
            id="async_client",
        ),
        pytest.param(
            lambda kms: kms.serve(host=5),
            "serve(): host must be a host name or address, as a string, not 5.",
            id="host",
        ),
        pytest.param(lambda kms: kms.serve(port="80"), "serve(): port must be a whole number, not '80'.", id="port"),
        pytest.param(
            lambda kms: kms.serve(port=True), "serve(): port must be a whole number, not True.", id="port-bool"
        ),
        pytest.param(
            lambda kms: kms.serve(check_signatures="no"),
            "serve(): check_signatures must be True or False, not 'no'.",
            id="check_signatures",
        ),
        pytest.param(
            lambda kms: kms.serve(tls=True, tls_dir=5),
            "serve(): tls_dir must be the path of a file, not 5.",
            id="tls_dir",
        ),
        pytest.param(
            lambda kms: kms.serve(tls_dir=""), "serve(): tls_dir must be the path of a file, not ''.", id="no tls_dir"
        ),
        pytest.param(lambda kms: kms.dump(""), "dump(): path must be the path of a file, not ''.", id="dump"),
        pytest.param(
            lambda kms: kms.dump("\ud800"),
            "dump(): path must be the path of a file, not '\\ud800'.",
            id="dump-surrogate",
        ),
        pytest.param(
            lambda kms: kms.least_privilege().write(Path("\0")),
            f"write(): path must be the path of a file, not {Path(chr(0))!r}.",
            id="write",
        ),
        pytest.param(
            lambda kms: kms.least_privilege(portable="no"),
            "least_privilege(): portable must be True or False, not 'no'.",
            id="portable",
        ),
        pytest.param(
            lambda kms: kms.least_privilege().write(5), "write(): path must be the path of a file, not 5.", id="write"
        ),
        pytest.param(lambda kms: kms.dump(5), "dump(): path must be the path of a file, not 5.", id="dump"),
    ],
)
def test_what_is_of_the_wrong_type_is_refused_in_words(kms_mock, ask, message):
    with pytest.raises(InvalidOption) as refused:
        ask(kms_mock)
    assert str(refused.value) == message


def test_a_mock_shows_where_it_is_and_what_was_called():
    with mock_kms(region="eu-west-1", account="111122223333") as kms:
        kms.client().list_keys()
        assert repr(kms) == "<KmsMock of 111122223333 in eu-west-1, 1 calls>"
    assert repr(kms).endswith(", ended>")


# --- where there is no mock -------------------------------------------------------------------------------------------


def test_a_client_whose_mock_has_ended_says_so(monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with mock_kms() as kms:
        clients = [kms.client(), kms.client(principal="role/app"), boto3.client("kms", region_name="us-east-1")]
    for client in clients:
        for blocking in (False, True):
            monkeypatch.setattr(network_guard, "blocking", blocking)
            with pytest.raises(NotActive) as refused:
                client.list_keys()
            assert str(refused.value) == (
                f"Test {os.environ['PYTEST_CURRENT_TEST']} called KMS ListKeys outside a mock. The client's mock has "
                "ended, and AWS does not know its credentials. If the application keeps its client between tests, let "
                "this test take kms_mock too. A fixture that makes the client has to `yield` it inside of "
                "`with mock_kms():`, not return it."
            )


def test_a_client_of_another_endpoint_may_have_the_credentials_of_a_mock():
    """Those of `kms_server.environment`, which lead to the mock of another process."""
    with mock_kms() as kms:
        client = kms.client(endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(EndpointConnectionError):
        client.list_keys()


QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")

CLASSES = """
    import boto3, unittest
    from pytest_kmsmock import mock_kms

    @mock_kms
    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            boto3.client("kms", region_name="us-east-1").create_key()

        def test_it(self): ...

    @mock_kms
    class TestPlain:
        @classmethod
        def setup_class(cls):
            boto3.client("kms", region_name="us-east-1").create_key()

        def test_it(self): ...

    @mock_kms
    class TestFunction:
        def setup_class(cls):
            boto3.client("kms", region_name="us-east-1").create_key()

        def test_it(self): ...

    class Base:
        @classmethod
        def setup_class(cls): ...

        @classmethod
        def setUpClass(cls):
            boto3.client("kms", region_name="us-east-1").create_key()

    @mock_kms
    class TestInherited(Base, unittest.TestCase):
        def test_it(self): ...

    @mock_kms
    class TestSuper(TestPlain):
        @classmethod
        def setup_class(cls):
            try:
                super().setup_class()
            except Exception:
                boto3.client("kms", region_name="us-east-1").create_key()

    @mock_kms
    class TestWithoutKms:
        @classmethod
        def setup_class(cls):
            cls.ready = True

        @staticmethod
        def teardown_class():
            ...

        def test_it(self):
            assert self.ready
"""


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("TestUnit", "setUpClass"),
        ("TestPlain", "setup_class"),
        ("TestFunction", "setup_class"),
        ("TestInherited", "setUpClass"),
        ("TestSuper", "setup_class"),
    ],
)
def test_a_call_in_the_set_up_of_a_class_is_refused(pytester, monkeypatch, name, method):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's")
    pytester.makepyfile(CLASSES)
    result = pytester.runpytest_inprocess("-k", name + " and test_it", *QUIET)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{name}.{method} called KMS CreateKey outside of any mock: *class_kms_mock*"])


def test_a_set_up_of_a_class_without_kms_runs(pytester):
    pytester.makepyfile(CLASSES)
    result = pytester.runpytest_inprocess("-k", "TestWithoutKms", *QUIET)
    result.assert_outcomes(passed=1)


def test_the_fixture_refuses_a_second_mock(pytester):
    pytester.makepyfile("""
        from pytest_kmsmock import mock_kms

        @mock_kms(region="eu-west-1")
        def test_two(kms_mock): ...

        @mock_kms
        def test_one(kms_client):
            kms_client.list_keys()

        @mock_kms
        class TestClass:
            def test_method(self, kms_mock): ...
    """)
    result = pytester.runpytest_inprocess(*QUIET)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*InvalidOption: *::test_two takes kms_mock and is decorated *two mocks*"])
