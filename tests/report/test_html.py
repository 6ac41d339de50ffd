"""The page of a run as text; in a browser it is tested in `test_html_in_browser`."""

from __future__ import annotations

import re

from pytest_kmsmock._report.html import page

#: What a test may well put into an encryption context, and a page must not take for markup.
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"


def test_texts_cannot_become_markup():
    text = page([{"test": HOSTILE, "outcome": "passed", "failure": "", "calls": [], "keys": []}])
    assert HOSTILE not in text
    assert text.count("</script>") == 2
    assert "<!--" not in text


def test_the_page_asks_nothing_of_any_server():
    text = page([])
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", text)
    assert set(re.findall(r"https?://[^\"']+", text)) == {"http://www.w3.org/2000/svg"}, "a namespace, not an address"
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
