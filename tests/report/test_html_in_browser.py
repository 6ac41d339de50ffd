"""The page of a run in a real browser: read, clicked and typed through as its reader would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

#: What a test may well put into an encryption context, and a page must not take for markup.
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"

SOURCE = f"""
    import boto3, pytest
    from botocore.exceptions import ClientError
    from pytest_kmsmock import mock_kms
    from pytest_kmsmock._kms.policy import Principal
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._kms.api.errors import KmsError

    HOSTILE = {HOSTILE!r}

    @pytest.fixture(scope="session")
    def shared(session_kms_mock):
        client = session_kms_mock.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/payroll", TargetKeyId=key_id)
        return key_id

    def test_envelope(kms_client, shared):
        key = kms_client.generate_data_key(KeyId="alias/payroll", KeySpec="AES_256")
        for tenant in "abc":
            kms_client.encrypt(KeyId=shared, Plaintext=b"x", EncryptionContext={{"tenant": tenant}})
        with mock_kms() as inner:
            inner.client().decrypt(CiphertextBlob=key["CiphertextBlob"])

    @mock_kms(region="eu-west-1")
    def test_disabled():
        client = boto3.client("kms")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.disable_key(KeyId=key_id)
        client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={{"tenant": "a"}})

    def test_denied(kms_mock):
        bob = Caller(Principal.parse("arn:aws:iam::123456789012:user/bob"), "123456789012")
        with pytest.raises(KmsError):
            kms_mock._service.call("ListKeys", {{}}, bob, "us-east-1")

    @pytest.mark.parametrize("name", ["plain", HOSTILE])
    def test_hostile(kms_client, name):
        with pytest.raises(ClientError):
            kms_client.encrypt(KeyId="alias/missing", Plaintext=b"x", EncryptionContext={{name: name}})
        kms_client.create_key(Description="never used " + name)
"""

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion", "--window-size=1280,1400",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.fail(
            "The page is tested in a browser: install Debian's packages chromium and chromium-driver (`make browser`), "
            "or leave these tests out with -m 'not browser'."
        )
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        with webdriver.Chrome(options=options, service=Service(driver)) as chrome:
            yield chrome


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run some tests in a process of their own and return the page of the run."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "test_it.py").write_text(textwrap.dedent(SOURCE))
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    subprocess.run([*command, "--kms-report=kms.html"], cwd=folder, check=False, capture_output=True)
    return folder / "kms.html"


class Page:
    """The page as its reader sees it."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome

    def all(self, selector: str) -> list[WebElement]:
        return [element for element in self.chrome.find_elements(By.CSS_SELECTOR, selector) if element.is_displayed()]

    def one(self, selector: str) -> WebElement:
        found = self.all(selector)
        assert len(found) == 1, f"{selector}: {len(found)} elements"
        return found[0]

    def click(self, element: WebElement) -> None:
        element.click()
        self._settle()

    def tests(self) -> list[str]:
        return [element.text for element in self.all(".test > summary .name b")]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.chrome.switch_to.active_element.send_keys(key)
        self._settle()

    def _settle(self) -> None:
        # What is opened is filled after the event, when the browser gets to it.
        self.chrome.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 20))")

    @property
    def focused(self) -> str:
        return self.chrome.switch_to.active_element.text


@pytest.fixture
def reader(chromium: webdriver.Chrome, report: Path) -> Iterator[Page]:
    chromium.set_window_size(1280, 1400)
    chromium.get(report.as_uri())
    chromium.execute_script("localStorage.clear()")
    chromium.get(report.as_uri())
    yield Page(chromium)
    assert chromium.get_log("browser") == []
    assert chromium.title == "KMS calls"


def test_the_page_tells_the_run(reader):
    assert [card.text.split("\n") for card in reader.all(".card")][:6] == [
        ["1", "test failed"], ["15", "calls"], ["4", "refused"], ["1", "denied by policies"],
        ["2", "without encryption context"], ["3", "keys never used"],
    ]  # fmt: skip
    rows = {row.text.split()[0]: row.text.split()[1:] for row in reader.all("#operations tbody tr")}
    assert rows["Encrypt"][:4] == ["6", "3", *"\N{EN DASH}\N{EN DASH}"]
    assert reader.tests() == [
        "test_disabled", "test_envelope", "test_denied", "test_hostile[plain]", f"test_hostile[{HOSTILE}]",
    ]  # fmt: skip
    assert [mark.get_attribute("aria-label") for mark in reader.all(".mark")] == ["failed"] + ["passed"] * 4
    assert reader.one("#shown").text == "5 tests, 15 calls"


def test_a_test_opens_to_its_calls_and_a_call_to_its_details(reader):
    reader.click(reader.all(".test > summary")[1])
    assert [heading.text.lower() for heading in reader.all(".phase")] == [
        "setup · session_kms_mock", "call · kms_mock", "call · mock_kms()",
    ]  # fmt: skip
    calls = [element.text for element in reader.all(".call .op")]
    assert calls == ["CreateKey", "CreateAlias", "GenerateDataKey", "Encrypt", "Encrypt", "Encrypt", "Decrypt"]
    assert reader.all(".call .on")[-1].text == "alias/payroll", "a key that only the ciphertext names"
    reader.click(reader.all(".call > summary")[2])
    detail = reader.one(".detail").text
    assert "'alias/payroll'" in detail
    assert "arn:aws:iam::123456789012:user/Administrator" in detail

    reader.click(reader.all(".test > summary")[0])
    reader.click(reader.one(".call.refused > summary"))
    assert reader.one(".why").text == "DisabledException"
    assert "is disabled." in reader.all(".detail")[0].text


def test_a_denied_call_tells_what_the_policies_say(reader):
    reader.click(reader.all(".card")[3])
    assert reader.tests() == ["test_denied"]
    reader.click(reader.one(".test > summary"))
    reader.click(reader.one(".call > summary"))
    assert reader.one(".why").text == "AccessDeniedException"
    assert [line.text for line in reader.all(".detail li")] == [
        "- identity-based policies: arn:aws:iam::123456789012:user/bob has none"
    ]
    assert len(reader.all(".detail li.decisive")) == 1


def test_failed_tests_come_first_with_their_message(reader):
    failed = reader.one("#failed")
    reader.click(failed)
    assert failed.get_attribute("aria-pressed") == "true"
    assert reader.tests() == ["test_disabled"]
    assert "DisabledException" in reader.one(".test .message").text
    reader.click(reader.one(".test > summary"))
    assert "is disabled." in reader.one(".failure").text
    reader.click(failed)
    assert len(reader.tests()) == 5


def test_all_is_opened_down_to_the_refused_calls(reader):
    reader.click(reader.one("#all"))
    assert len(reader.all(".test[open]")) == 5
    assert [element.text for element in reader.all(".detail .why")] == [
        "DisabledException", "AccessDeniedException", "NotFoundException", "NotFoundException",
    ]  # fmt: skip
    assert "Request context" in [heading.text for heading in reader.all(".detail h3")]
    reader.click(reader.one("#all"))
    assert not reader.all(".test[open]")


def test_search_and_filters(reader):
    search = reader.one("#search")
    search.send_keys("decrypt payroll")
    assert reader.tests() == ["test_envelope"]
    assert reader.one("#shown").text == "1 test, 1 call"
    search.send_keys("nonsense")
    assert reader.tests() == []
    reader.click(reader.one("#clear"))
    assert len(reader.tests()) == 5

    refused = reader.all(".card")[2]
    reader.click(refused)
    assert refused.get_attribute("aria-pressed") == "true"
    assert reader.one("#shown").text == "4 tests, 4 calls"
    reader.click(reader.all(".test > summary")[0])
    assert [element.text for element in reader.all(".call .op")] == ["Encrypt"], "only what was searched for"
    reader.click(refused)
    assert len(reader.all(".call")) == 3

    reader.click(reader.one("#operations").find_element(By.XPATH, ".//button[text()='Decrypt']"))
    assert reader.tests() == ["test_envelope"]
    reader.press(Keys.ESCAPE)
    assert len(reader.tests()) == 5
    reader.one("#outcome").send_keys("failed")
    assert reader.tests() == ["test_disabled"]


def test_the_keyboard_is_enough(reader):
    reader.press("j", "j")
    assert "test_envelope" in reader.focused
    reader.press("k", Keys.ENTER)
    assert len(reader.all(".call")) == 3
    reader.press("/")
    assert reader.chrome.switch_to.active_element.get_attribute("id") == "search"
    reader.press("jest/", Keys.ESCAPE)
    assert reader.one("#search").get_attribute("value") == ""
    reader.press("e")
    assert len(reader.all(".test[open]")) == 5
    reader.press("e")
    assert len(reader.all(".test[open]")) == 0


def test_light_and_dark(reader):
    def background() -> str:
        return reader.one("body").value_of_css_property("background-color")

    light = background()
    reader.press("t")
    assert background() != light
    reader.click(reader.one("#theme"))
    assert background() == light


@pytest.mark.parametrize("width", [500, 1280])
def test_nothing_is_wider_than_the_window(reader, width):
    reader.chrome.set_window_size(width, 1400)
    reader.press("e")
    assert reader.chrome.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    folder = os.environ.get("KMS_SCREENSHOTS")  # for those who want to look
    if folder:
        reader.chrome.save_screenshot(str(Path(folder) / f"report-{width}.png"))
