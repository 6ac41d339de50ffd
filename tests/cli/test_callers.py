"""Who calls a served fake KMS: credentials on the command line, in a seed, and of an STS elsewhere."""

from __future__ import annotations

import http.server
import json
import threading

import boto3
import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock._cli.main import main

from .test_serve import client_of, serve  # noqa: F401 - a fixture

SEED = {
    "keys": [{"alias": "alias/orders"}],
    "iam": {
        "role/orders": {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": ["kms:Encrypt"], "Resource": "*"},
        }
    },
    "credentials": {
        "role/orders": {"access_key_id": "ASIASEEDSEEDSEEDSEED", "secret_access_key": "s", "session_token": "t"}
    },
}


def acting(client, access_key: str, secret: str = "s", token: str | None = None) -> boto3.client:
    return boto3.client(
        "kms", "us-east-1", endpoint_url=client.meta.endpoint_url, aws_access_key_id=access_key,
        aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip


@pytest.mark.parametrize("checked", [[], ["--check-signatures"]])
def test_a_role_of_a_seed_may_do_what_its_policies_say(serve, tmp_path, checked):  # noqa: F811
    seed, state = tmp_path / "keys.json", tmp_path / "state.db"
    seed.write_text(json.dumps(SEED))

    def work(client):
        orders = acting(client, "ASIASEEDSEEDSEEDSEED", token="t")
        blob = orders.encrypt(KeyId="alias/orders", Plaintext=b"x")["CiphertextBlob"]
        with pytest.raises(ClientError, match="AccessDenied"):
            orders.decrypt(CiphertextBlob=blob)

    for _ in range(2):  # credentials of a seed count at every start, its keys at the first
        assert serve("--seed", seed, "--state", state, *checked, work=work) == 0


def test_credentials_on_the_command_line(serve):  # noqa: F811
    def work(client):
        with pytest.raises(ClientError, match=r"AccessDenied.*user/ada"):
            acting(client, "AKIAADAADAADAADAADAA", "se/cr=et").list_keys()
        with pytest.raises(ClientError, match="InvalidSignature"):
            acting(client, "AKIAADAADAADAADAADAA", "wrong").list_keys()

    assert serve("--credentials", "user/ada=AKIAADAADAADAADAADAA:se/cr=et", "--check-signatures", work=work) == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["--credentials", "user/ada"], "write it as role/app=AKIAEXAMPLEEXAMPLE00:secret", id="form"),
        pytest.param(["--credentials", "nobody=AKIAADAADAADAADAADAA:s"], "'nobody'", id="principal"),
        pytest.param(
            ["--identities", "http://127.0.0.1:1"],
            "no STS answers at 'http://127.0.0.1:1'; give the URL of one, such as http://localhost:5000: [Errno 111]",
            id="no-sts",
        ),
        pytest.param(
            ["--identities", "http://127.0.0.1:1/a b"], "no STS answers at 'http://127.0.0.1:1/a b'; give", id="no-url"
        ),
    ],
)
def test_callers_that_cannot_be(capsys, arguments, problem):
    code = 0
    try:
        code = main(["serve", "--port", "0", *arguments])
    except SystemExit as exited:  # as argparse ends
        code = exited.code
    assert code in (1, 2)
    assert problem in capsys.readouterr().err


def test_an_sts_elsewhere_knows_whose_keys_are(serve, moto_server, monkeypatch):  # noqa: F811
    monkeypatch.setattr("pytest_kmsmock._mock.core._MOTO_IAM", "moto.in.another.process")
    dummy = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x"}
    iam = boto3.client("iam", "us-east-1", endpoint_url=moto_server, **dummy)
    iam.create_user(UserName="grace")
    own = iam.create_access_key(UserName="grace")["AccessKey"]

    def work(client):
        arn = acting(client, own["AccessKeyId"]).create_key()["KeyMetadata"]["Arn"]
        assert ":123456789012:" in arn
        for access_key, expected in ((own["AccessKeyId"], "user/grace"), ("AKIANOBODYNOBODY0000", "Administrator")):
            sts = boto3.client(
                "sts", "us-east-1", endpoint_url=client.meta.endpoint_url, aws_access_key_id=access_key,
                aws_secret_access_key="?",
            )  # fmt: skip
            assert sts.get_caller_identity()["Arn"].endswith(expected)

    assert serve("--identities", moto_server, work=work) == 0


class _Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_error(403)

    def log_message(self, *_) -> None:
        pass


def test_an_sts_that_refuses_knows_nobody(serve):  # noqa: F811
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as sts:
        threading.Thread(target=sts.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{sts.server_port}"
        assert serve("--identities", url, work=lambda client: acting(client, "AKIANOBODYNOBODY0000").list_keys()) == 0
        sts.shutdown()
