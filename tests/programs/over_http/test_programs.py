"""Programs in other languages against the HTTP endpoint: one of each class of ways in, with its signatures checked.

A program that is not installed is skipped with a line that says how to install it.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator

import pytest

from pytest_kmsmock import KmsMock, KmsServer


@pytest.fixture
def tls_server(kms_mock: KmsMock) -> Iterator[KmsServer]:
    with kms_mock.serve(tls=True, check_signatures=True) as server:
        yield server


def needs(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: apt-get install {package}")
    return found


# --- a program whose SDK takes no endpoint from the environment: the proxy -----------------------------------------

RUBY = """
require "aws-sdk-kms"
kms = Aws::KMS::Client.new(http_proxy: ENV["HTTPS_PROXY"])
key = kms.create_key(description: "from ruby").key_metadata.key_id
blob = kms.encrypt(key_id: key, plaintext: "secret", encryption_context: {"a" => "b"}).ciphertext_blob
raise "wrong" unless kms.decrypt(ciphertext_blob: blob, encryption_context: {"a" => "b"}).plaintext == "secret"
begin
  kms.describe_key(key_id: "nobody")
rescue Aws::KMS::Errors::NotFoundException => error
  puts error.message
end
puts key
"""


def test_the_aws_sdk_for_ruby_through_the_proxy(kms_mock, tls_server):
    ruby = needs("ruby", "ruby ruby-aws-sdk-kms")
    if subprocess.run([ruby, "-e", 'require "aws-sdk-kms"'], capture_output=True, check=False).returncode:
        pytest.skip("the AWS SDK for Ruby is not installed: apt-get install ruby-aws-sdk-kms")
    environment = {"PATH": os.environ["PATH"], **tls_server.environment, "HTTPS_PROXY": tls_server.proxy_url}
    del environment["AWS_ENDPOINT_URL_KMS"]  # which Debian's version does not read
    run = subprocess.run([ruby, "-e", RUBY], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    message, key_id = run.stdout.split("\n")[:2]
    assert message == "Invalid keyId 'nobody'"
    assert kms_mock.keys[key_id].description == "from ruby"


def aws_cli_2() -> str:
    for found in (shutil.which("aws"), "/usr/bin/aws"):  # the first may be version 1, of PyPI
        if found and os.access(found, os.X_OK):
            version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
            if version.startswith("aws-cli/2"):
                return found
    pytest.skip("version 2 of the AWS CLI is not installed: apt-get install awscli")


def test_the_aws_cli_through_the_proxy(kms_mock, tls_server, tmp_path):
    aws = aws_cli_2()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **tls_server.environment}
    environment["HTTPS_PROXY"] = tls_server.proxy_url
    del environment["AWS_ENDPOINT_URL_KMS"]  # which Debian's version does not read
    run = subprocess.run(
        [aws, "kms", "create-key", "--description", "from the AWS CLI", "--output", "json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    key_id = json.loads(run.stdout)["KeyMetadata"]["KeyId"]
    assert kms_mock.keys[key_id].description == "from the AWS CLI"


# --- a program that signs by itself, over TLS ----------------------------------------------------------------------


def test_curl_over_tls(kms_mock, tls_server):
    curl = needs("curl", "curl")
    environment = tls_server.environment
    run = subprocess.run(
        [
            curl, "--silent", "--show-error", "--fail-with-body", "--aws-sigv4", "aws:amz:us-east-1:kms",
            "--user", f"{environment['AWS_ACCESS_KEY_ID']}:{environment['AWS_SECRET_ACCESS_KEY']}",
            "--header", "X-Amz-Target: TrentService.CreateKey", "--header", "Content-Type: application/x-amz-json-1.1",
            "--data", '{"Description": "from curl"}', f"{tls_server.endpoint_url}/",
        ],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    key_id = json.loads(run.stdout)["KeyMetadata"]["KeyId"]
    assert kms_mock.keys[key_id].description == "from curl"


# --- a library that speaks TLS alone, and makes its requests itself: MongoDB's client-side encryption -------------


def test_libmongocrypt_over_tls(kms_mock, tls_server):
    mongocrypt = pytest.importorskip("pymongocrypt.mongocrypt", reason="pip install pymongo[encryption]")
    callback_module = pytest.importorskip("pymongocrypt.synchronous.state_machine")
    encrypter_module = pytest.importorskip("pymongocrypt.synchronous.explicit_encrypter")
    from bson import BSON  # of pymongo, as any program that uses libmongocrypt has it

    trusted = ssl.create_default_context(cafile=tls_server.environment["SSL_CERT_FILE"])
    vault: list[bytes] = []

    class Callback(callback_module.MongoCryptCallback):  # type: ignore[name-defined]  # imported by name
        """What pymongo does for libmongocrypt: carries its messages over TLS, and keeps its data keys."""

        def kms_request(self, request):
            host, _, port = request.endpoint.partition(":")
            plain = socket.create_connection((host, int(port)), timeout=10)
            with trusted.wrap_socket(plain, server_hostname=host) as connection:
                connection.sendall(request.message)
                while request.bytes_needed > 0:
                    request.feed(connection.recv(request.bytes_needed))

        def fetch_keys(self, _):
            return iter(vault)

        def insert_data_key(self, data_key):
            vault.append(bytes(data_key))
            return BSON(data_key).decode()["_id"]

        def bson_encode(self, document):
            return BSON.encode(document)

        def collection_info(self, *_):
            raise NotImplementedError

        mark_command = collection_info

        def close(self):
            pass

    environment = tls_server.environment
    master = kms_mock.create_key(alias="alias/mongo")
    options = mongocrypt.MongoCryptOptions(
        {
            "aws": {
                "accessKeyId": environment["AWS_ACCESS_KEY_ID"],
                "secretAccessKey": environment["AWS_SECRET_ACCESS_KEY"],
            }
        }
    )
    encrypter = encrypter_module.ExplicitEncrypter(Callback(), options)
    address = tls_server.endpoint_url.removeprefix("https://")
    encrypter.create_data_key("aws", master_key={"region": "us-east-1", "key": master.arn, "endpoint": address})
    assert [call.operation for call in kms_mock.calls] == ["Encrypt"]
    encrypter.close()


# --- a page in a browser: CORS ------------------------------------------------------------------------------------

PAGE = b"""<!doctype html><title>waiting</title><script>
const url = new URL(location).searchParams.get("kms");
fetch(url, {method: "POST", body: '{"Description": "from a page"}', headers: {
  "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.CreateKey",
  "X-Amz-Date": "20260102T030405Z", "X-Amz-User-Agent": "page",
  "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260102/us-east-1/kms/aws4_request, "
    + "SignedHeaders=host, Signature=0"}})
  .then(async (answer) => { document.title = JSON.stringify({
    request: answer.headers.get("x-amzn-requestid"), key: (await answer.json()).KeyMetadata.KeyId}); })
  .catch((error) => { document.title = String(error); });
</script>"""


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_) -> None:
        pass


@pytest.mark.browser
@pytest.mark.parametrize("allowed", [True, False])
def test_a_page_of_another_origin(kms_mock, allowed):
    browser = needs("chromium", "chromium")
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        with kms_mock.serve(cors=allowed) as server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            run = subprocess.run(
                [
                    browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                    "--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
                    "--virtual-time-budget=5000", "--dump-dom",
                    f"http://127.0.0.1:{site.server_port}/?kms={server.endpoint_url}/",
                ],
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
    finally:
        site.shutdown()
        site.server_close()
    title = run.stdout.partition("<title>")[2].partition("</title>")[0]
    if allowed:
        made = json.loads(title)
        assert kms_mock.keys[made["key"]].description == "from a page"
        assert made["request"] == kms_mock.calls[-1].request_id
    else:
        assert title == "TypeError: Failed to fetch"
        assert not kms_mock.calls
