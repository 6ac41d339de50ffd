"""The AWS CLI with the examples of its documentation, which it brings along: over HTTP and in this process."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import awscli
import pytest
from awscli.clidriver import create_clidriver

from pytest_kmsmock import mock_kms

EXAMPLES = Path(awscli.__file__).parent / "examples" / "kms"
AWS = Path(sys.executable).with_name("aws")
KEY_ID, OTHER_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab", "0987dcba-09fe-87dc-65ba-ab0987654321"

#: The account and Region of the documentation's examples.
documented_place = pytest.mark.kms_mock(region="us-west-2", account="111122223333")
pytestmark = documented_place

#: Members that are different at every call, or in every example.
TIMES = {"CreationDate", "LastUpdatedDate", "NextRotationDate", "DeletionDate"}
VARYING = {"Arn", "KeyId", "CurrentKeyMaterialId", "PrimaryKey", "KeyArn", *TIMES}
SECRET = {"CiphertextBlob", "Plaintext", "PrivateKeyCiphertextBlob", "PrivateKeyPlaintext", "PublicKey", "Signature",
          "Mac", "GrantId", "GrantToken", "ImportToken", "ParametersValidTo", "KeyMaterialId"}  # fmt: skip
VARYING |= SECRET


def blocks(name: str) -> list[str]:
    """Return the literal blocks of an operation's documentation: commands and what they print."""
    text = (EXAMPLES / f"{name}.rst").read_text()
    found = re.finditer(r"::\s*\n\s*\n((?:(?: {3,}).*\n|\s*\n)+)", text)
    return [textwrap.dedent(block[1]).strip() for block in found]


def printed(block: str) -> dict[str, object]:
    """Return what a command prints; commas that the documentation has lost are put back."""
    parsed: dict[str, object] = json.loads(re.sub(r'(["\]}])\s*\n(\s*")', r"\1,\n\2", block))
    return parsed


def differences(documented: object, actual: object, where: str = "") -> Iterator[str]:
    """Say what differs between an example and an answer, member by member."""
    if isinstance(documented, dict) and isinstance(actual, dict):
        for name in sorted(documented.keys() | actual.keys()):
            if name not in actual or name not in documented:
                yield f"{where}.{name} is only {'documented' if name in documented else 'answered'}"
            elif name in VARYING and not isinstance(actual[name], dict | list):
                # The first version of the CLI prints times as they come, the second as the documentation does.
                assert isinstance(actual[name], float if name in TIMES else str)
            else:
                yield from differences(documented[name], actual[name], f"{where}.{name}")
    elif isinstance(documented, list) and isinstance(actual, list) and len(documented) == len(actual):
        for number, pair in enumerate(zip(documented, actual, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif documented != actual:
        yield f"{where}: documented {documented!r}, answered {actual!r}"


class Cli:
    """The AWS CLI in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, command: str) -> str:
        """Run `aws ...` and return what it prints.

        Raises:
            AssertionError: with what it prints to stderr, when it fails.
        """
        words = shlex.split(command.replace("\\\n", " "))
        assert words.pop(0) == "aws"
        code = create_clidriver().main(words)
        output = self._capsys.readouterr()
        assert code == 0, output.err
        return output.out


@pytest.fixture
def aws(kms_mock, capsys) -> Cli:
    return Cli(capsys)


def in_a_process(command: str, server, folder: Path | None = None) -> str:
    environment = {"PATH": f"{AWS.parent}:{os.environ['PATH']}", "HOME": "/nonexistent", **server.environment}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


CREATE_KEY = blocks("create-key")
PLAIN, RSA, ECC, ML_DSA, HMAC, MULTI_REGION, EXTERNAL = zip(CREATE_KEY[:14:2], CREATE_KEY[1:14:2], strict=True)


@pytest.mark.parametrize(
    ("example", "issued"),
    [
        pytest.param(PLAIN, "aws kms create-key", id="symmetric"),
        pytest.param(RSA, "aws kms create-key --key-spec RSA_4096 --key-usage ENCRYPT_DECRYPT", id="rsa"),
        pytest.param(ECC, "aws kms create-key --key-spec ECC_NIST_P521 --key-usage SIGN_VERIFY", id="ecc"),
    ],
)
def test_create_key_over_http(kms_server, example, issued):
    command, output = example
    assert shlex.split(command.replace("\\\n", " ")) == shlex.split(issued)
    answer = json.loads(in_a_process(f"{command} --endpoint-url {kms_server.endpoint_url}", kms_server))
    assert list(differences(printed(output), answer)) == []


def test_policies_and_aliases_over_http(kms_mock, kms_server):
    key = kms_mock.create_key(key_id=KEY_ID)
    endpoint = f"--endpoint-url {kms_server.endpoint_url}"
    policy = in_a_process(
        f"aws kms get-key-policy --key-id {KEY_ID} --policy-name default --output text {endpoint}", kms_server
    )
    document, end = json.JSONDecoder().raw_decode(policy)
    assert policy[end:] == "\tdefault\n"  # the other member of the answer, PolicyName
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    (create_alias,) = blocks("create-alias")
    assert in_a_process(f"{create_alias} {endpoint}", kms_server) == ""
    assert kms_mock.client().describe_key(KeyId="alias/example-alias")["KeyMetadata"]["Arn"] == key.arn


def test_shell_examples_with_files_over_http(kms_mock, kms_server, tmp_path):
    kms_mock.create_key(key_id=KEY_ID)
    (tmp_path / "ExamplePlaintextFile").write_bytes(b"\0secret\xff")
    in_a_process(blocks("encrypt")[0], kms_server, tmp_path)
    (tmp_path / "ExamplePlaintextFile").unlink()
    in_a_process(blocks("decrypt")[0], kms_server, tmp_path)
    assert (tmp_path / "ExamplePlaintextFile").read_bytes() == b"\0secret\xff"


@pytest.mark.parametrize(
    ("example", "but"),
    [
        pytest.param(PLAIN, [], id="symmetric"),
        pytest.param(RSA, [], id="rsa"),
        pytest.param(ECC, [], id="ecc"),
        # AWS's announcement of ML-DSA shows the member, this example does not.
        pytest.param(ML_DSA, [".KeyMetadata.CustomerMasterKeySpec is only answered"], id="ml-dsa"),
        pytest.param(HMAC, [], id="hmac"),
        pytest.param(MULTI_REGION, [], id="multi-region"),
        pytest.param(EXTERNAL, [], id="external"),
    ],
)
def test_create_key(aws, example, but):
    command, output = example
    assert list(differences(printed(output), json.loads(aws(command)))) == but


RSA_SIGNING = {"spec": "RSA_2048", "usage": "SIGN_VERIFY", "enabled": False}


@pytest.mark.parametrize(
    ("name", "number", "key", "but"),
    [
        pytest.param("describe-key", 1, RSA_SIGNING, [], id="describe-key"),
        pytest.param("generate-data-key-without-plaintext", 0, {}, [], id="generate-data-key-without-plaintext"),
        pytest.param("generate-data-key", 0, {"alias": "alias/ExampleAlias"}, [], id="generate-data-key"),
        pytest.param("generate-data-key-pair", 0, {}, [], id="generate-data-key-pair"),
        pytest.param("list-key-policies", 0, {}, [], id="list-key-policies"),
        pytest.param(
            "list-resource-tags",
            0,
            {"tags": {"Dept": "IT", "Purpose": "Test"}},
            # The CLI puts pages together today, and leaves out what it used to print of the last one.
            [".Truncated is only documented"],
            id="list-resource-tags",
        ),
        pytest.param("rotate-key-on-demand", 0, {}, [], id="rotate-key-on-demand"),
        pytest.param(
            "get-public-key",
            0,
            {"spec": "RSA_4096", "usage": "ENCRYPT_DECRYPT"},
            [".KeySpec is only answered"],
            id="get-public-key",
        ),  # newer than the example
    ],
)
def test_other_examples(aws, kms_mock, name, number, key, but):
    kms_mock.create_key(key_id=KEY_ID, **key)
    command, output = blocks(name)[2 * number : 2 * number + 2]
    assert list(differences(printed(output), json.loads(aws(command)))) == but


@pytest.mark.parametrize(
    "name",
    ["disable-key", "enable-key", "enable-key-rotation", "disable-key-rotation", "tag-resource", "untag-resource",
     "create-alias"],
)  # fmt: skip
def test_examples_that_print_nothing(aws, kms_mock, name):
    kms_mock.create_key(key_id=KEY_ID, tags={"Purpose": "Test"})
    assert aws(blocks(name)[0]) == ""


def test_errors_of_aws(kms_mock, capsys):
    code = create_clidriver().main(["kms", "describe-key", "--key-id", KEY_ID])
    assert code != 0
    assert capsys.readouterr().err.strip() == (
        "An error occurred (NotFoundException) when calling the DescribeKey operation: "
        f"Key 'arn:aws:kms:us-west-2:111122223333:key/{KEY_ID}' does not exist"
    )


@pytest.mark.parametrize("wire", [False, True])
def test_both_ways(wire, capsys):
    with mock_kms(wire=wire):
        assert create_clidriver().main(["kms", "list-keys", "--query", "Keys"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_a_cli_that_is_imported_before_anything_else(tmp_path, run_python):
    # The CLI brings a botocore of its own, which it puts in place of the installed one.
    script = """
        from awscli.clidriver import create_clidriver
        from pytest_kmsmock import mock_kms
        driver = create_clidriver()
        with mock_kms():
            assert driver.main(["kms", "create-key", "--query", "KeyMetadata.KeyState"]) == 0
            assert create_clidriver().main(["kms", "list-keys", "--query", "length(Keys)"]) == 0
    """
    assert run_python(script, PATH=os.environ["PATH"], HOME=str(tmp_path)) == '"Enabled"\n1\n'


def test_the_cli_through_the_proxy_of_the_server(kms_mock, tmp_path):
    with kms_mock.serve(tls=True, check_signatures=True) as server:
        environment = {**os.environ, **server.environment, "HTTPS_PROXY": server.proxy_url, "HOME": str(tmp_path)}
        del environment["AWS_ENDPOINT_URL_KMS"]  # as for versions that do not read it
        command = [str(AWS), "kms", "create-key", "--description", "by proxy"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        made = json.loads(run.stdout)["KeyMetadata"]
        assert (made["Arn"].split(":")[3], made["Description"]) == ("us-west-2", "by proxy")
        who = [str(AWS), "sts", "get-caller-identity", "--endpoint-url", server.endpoint_url]
        run = subprocess.run(
            who, env=environment | {"NO_PROXY": "127.0.0.1"}, capture_output=True, text=True, check=False
        )
        assert json.loads(run.stdout)["Arn"] == "arn:aws:iam::111122223333:user/Administrator", run.stderr
