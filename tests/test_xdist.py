"""pytest-xdist: thousands of KMS tests spread over processes that share nothing."""

from __future__ import annotations

import pytest


@pytest.mark.slow
def test_thousands_of_tests_on_two_workers(pytester: pytest.Pytester):
    pytester.makepyfile("""
        import os
        import pytest

        @pytest.fixture(scope="session")
        def worker_key(session_kms_mock):
            # Each worker has a session of its own, so a key of its own.
            return session_kms_mock.create_key(alias="alias/worker", description=os.environ["PYTEST_XDIST_WORKER"])

        @pytest.mark.parametrize("n", range(2000))
        def test_it(worker_key, kms_client, n):
            assert worker_key.description == os.environ["PYTEST_XDIST_WORKER"]
            blob = kms_client.encrypt(KeyId="alias/worker", Plaintext=b"%d" % n)["CiphertextBlob"]
            kms_client.create_alias(AliasName="alias/test", TargetKeyId=worker_key.id)
            assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"%d" % n
    """)
    result = pytester.runpytest_subprocess("-n", "2", "-q", "-p", "no:cacheprovider", "-W", "default")
    result.assert_outcomes(passed=2000)
