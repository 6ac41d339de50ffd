"""A missing attribute of an object of this package is told with the one that was meant."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("kms_mock.key", "'KmsMock' object has no attribute 'key'. Did you mean 'keys'?"),
        ("kms_mock.advance", "'KmsMock' object has no attribute 'advance'. Did you mean 'clock.advance'?"),
        ("kms_mock.attach", "'KmsMock' object has no attribute 'attach'. Did you mean 'iam.attach'?"),
        ("kms_mock.add_clust", "'KmsMock' object has no attribute 'add_clust'. Did you mean 'key_stores.add_cluster'?"),
        ("kms_mock.with_eror", "'KmsMock' object has no attribute 'with_eror'. Did you mean 'calls.with_error'?"),
        ("kms_mock.as_role", "'KmsMock' object has no attribute 'as_role'. Did you mean 'as_principal'?"),
        (
            "kms_mock.generate_data_key",
            "'KmsMock' object has no attribute 'generate_data_key'. "
            "KMS operations are methods of a client: kms_mock.client().generate_data_key(...).",
        ),
        ("kms_mock.zzzzz", "'KmsMock' object has no attribute 'zzzzz'"),
        ("kms_mock._key", "'KmsMock' object has no attribute '_key'"),
        ("kms_mock.clock.tick", "'Clock' object has no attribute 'tick'. Did you mean 'advance'?"),
        ("kms_mock.faults.ad", "'Faults' object has no attribute 'ad'. Did you mean 'add'?"),
        ("kms_mock.create_key().key_id", "'KeyView' object has no attribute 'key_id'. Did you mean 'id'?"),
        ("ended.key", "'KmsMock' object has no attribute 'key'. Did you mean 'keys'?"),
        ("ended.advance", "'KmsMock' object has no attribute 'advance'"),
        ("''.uper", "'str' object has no attribute 'uper'"),
    ],
)  # fmt: skip
def test_a_missing_attribute_is_told_with_the_one_that_was_meant(run, expression, told):
    result = run(f"""
        import pytest
        from pytest_kmsmock import mock_kms

        @pytest.fixture
        def ended():
            with mock_kms() as kms:
                pass
            return kms

        def test_it(kms_mock, ended):
            {expression}
    """)
    shown = [line.partition("AttributeError: ")[2] for line in result.outlines if line.startswith("E ")]
    if "Did you mean" not in told:  # Python may have a suggestion: since 3.12, and with `exceptiongroup`
        shown = [line.partition(". Did you mean: ")[0] for line in shown]
    assert shown == [told]


def test_an_attribute_of_an_object_without_a_module_name_is_left_to_pytest(run):
    result = run("""
        class Proxy:
            __module__ = property(lambda self: None)

        def test_it():
            Proxy().missing
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *AttributeError: 'Proxy' object has no attribute 'missing'"])
