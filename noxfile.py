"""The suite on every supported Python that is installed, and on the oldest and newest of what the package needs.

`make matrix` runs all; `nox -s newest-3.13` one; `nox -l` lists them. Arguments after `--` go to pytest.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
EXTRAS = "algorithms,conformance,iac,nitro,seeds,server"
DEVELOPMENT = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "dev")
FAST = ("-q", "-n", "2", "-m", "not slow and not browser")
#: The lower bounds in pyproject.toml; pytest-asyncio needs a newer pytest, the extra `algorithms` a newer cryptography.
CORE = ["botocore==1.40.0", "boto3==1.40.0", "pytest==8.0.0", "responses==0.25.0", "cryptography==44.0.0"]
OLDEST = [*CORE[:2], "pytest==8.2.0", CORE[3], "cryptography==49.0.0", "moto==5.1.6"]
#: Tests that need no extra and no other plugin.
CORE_TESTS = (
    "tests/test_smoke.py",
    "tests/kms/policy",
    "tests/kms/operations/management",
    "tests/kms/operations/cryptography/test_mac.py",
    "tests/kms/formats/test_ciphertext_blob.py",
)

#: What the moto of `OLDEST` cannot do itself, and a test that needs a newer botocore.
OLDEST_LACKS = (
    "tests/iac/deploying/test_moto.py::test_resources_have_the_keys_of_the_template",  # KMSKeyArn of functions
    "tests/services/compute/test_awslambda.py::test_a_refused_key_leaves_the_one_before",  # likewise
    "tests/moto/test_keys.py::test_the_tagging_api_changes_tags",  # TagResources and UntagResources of keys
    "tests/programs/test_moto_suite.py::test_the_suite_passes_without_a_mock",  # a stack with an alias
    "tests/services/test_refusals.py::test_under_a_key_that_is_named[Backup",  # DeleteBackupVault
    # It stops the clock of botocore's signers, which the botocore of `OLDEST` has elsewhere.
    "tests/transport/test_sigv4.py::test_the_age_of_a_signature",
)

#: Tests beside moto, and of these what the oldest moto that is supported cannot do itself.
MOTO_TESTS = ("tests/moto", "tests/services", "tests/programs/test_moto.py", "tests/programs/test_moto_suite.py")
MOTO_LACKS = {
    "tests/moto/test_keys.py": [
        "test_another_default_key_of_ebs",  # ModifyEbsDefaultKmsKeyId
        "test_the_key_of_a_master_password_of_rds",  # MasterUserSecret
        "test_the_tagging_api_changes_tags",  # as above
        "test_moto_makes_its_own_keys_without_a_mock",  # AWS::KMS::Key without a description
    ],
    "tests/moto/test_settings.py": [
        "test_buckets", "test_uploads", "test_secrets",  # kept elsewhere: asked for by API
        "test_event_buses", "test_state_machines",  # KmsKeyIdentifier, encryptionConfiguration
    ],
    "tests/programs/test_moto_suite.py": ["test_the_suite_passes_without_a_mock"],  # AWS::KMS::Key, as above
    "tests/services/compute/test_stepfunctions.py": [  # encryptionConfiguration
        "test_the_state_of_a_key_is_told", "test_the_execution_role", "test_activities",
    ],
    "tests/services/messaging/test_deliveries.py": [  # KmsKeyIdentifier of event buses
        "test_a_bus_whose_key_lets_eventbridge_in", "test_a_bus_whose_key_does_not",
    ],
    "tests/services/secrets/test_secretsmanager.py": ["test_a_batch", "test_replicas"],
    "tests/services/storage/test_presigned.py": ["test_a_form", "test_forms"],  # leaves files open, buckets as above
    "tests/services/storage/test_s3.py": [  # the checksums of today's botocore
        "test_a_multipart_upload", "test_s3transfer",
    ],
    "tests/services/test_engine.py": ["test_a_server_of_moto_s"],  # its server's address
    "tests/services/test_refusals.py": [
        "test_under_a_key_that_is_named[Backup",  # DeleteBackupVault
        "test_under_a_key_that_is_named[Step Functions CreateActivity",  # encryptionConfiguration
        "test_under_a_key_that_was_usable[Step Functions",
        "test_under_a_key_that_was_usable[S3 SelectObjectContent",
    ],
}  # fmt: skip


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """Run the suite with the newest release of everything."""
    session.install("-e", f".[{EXTRAS}]", *DEVELOPMENT)
    session.run("python", "-m", "pytest", *FAST, *session.posargs)


@nox.session(python=["3.10", "3.13"])
def oldest(session: nox.Session) -> None:
    """Run the suite with the oldest releases that are supported."""
    session.install("-e", f".[{EXTRAS}]", *DEVELOPMENT, *OLDEST)
    _take_current_model(session)
    left_out = [f"--deselect={test}" for test in OLDEST_LACKS]
    # On Python 3.12 and later this botocore warns of itself.
    warnings = ("-W", "ignore:datetime.datetime.utcnow:DeprecationWarning")
    session.run("python", "-m", "pytest", *FAST, *left_out, *warnings, *session.posargs)


@nox.session(python=["3.10", "3.13"])
def moto(session: nox.Session) -> None:
    """Run the tests beside moto with the oldest moto that is supported."""
    session.install("-e", f".[{EXTRAS}]", *DEVELOPMENT)
    session.install("moto[cloudformation,events,s3,server]==5.0.0")
    left_out = [f"--deselect={file}::{name}" for file, names in MOTO_LACKS.items() for name in names]
    session.run("python", "-m", "pytest", *FAST, *left_out, *(session.posargs or MOTO_TESTS))


@nox.session(python=["3.10", "3.13"])
def core(session: nox.Session) -> None:
    """Run the tests that need no extra, with the oldest releases and no extra."""
    session.install(".", "hypothesis", *CORE)
    _take_current_model(session)
    # Without the project's settings, which are for plugins that are not here.
    settings = ("-c", "/dev/null", "--rootdir", ".", "-p", "pytester", "-p", "no:cacheprovider")
    selected = session.posargs or CORE_TESTS
    session.run("python", "-m", "pytest", "-q", *settings, "--import-mode", "importlib", "-m", "not slow", *selected)


def _take_current_model(session: nox.Session) -> None:
    """Give an old botocore the newest service model of KMS: the tests compare with that."""
    newest = Path(session.create_tmp()) / "botocore"
    shutil.rmtree(newest, ignore_errors=True)
    session.run("python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(newest), "botocore")
    where = "import botocore, pathlib; print(pathlib.Path(botocore.__file__).parent)"
    folder = session.run("python", "-c", where, silent=True)
    assert isinstance(folder, str)
    model = Path(folder.strip()) / "data/kms"
    shutil.rmtree(model)
    shutil.copytree(newest / "botocore/data/kms", model)
