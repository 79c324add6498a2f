"""A browser for end-to-end tests: Debian's chromium, driven by web/tools/driver.mjs (playwright).

Every page that a test opens is watched: an error in its console, a breach of its content policy or
a request to another origin fails the test at the end. Pictures go to build/screenshots.
"""

import json
import os
import pathlib
import subprocess
import unittest

from network import REPOSITORY

PICTURES = pathlib.Path(os.environ.get("WARIFU_SCREENSHOTS", REPOSITORY / "build" / "screenshots"))
PICTURED = [("en", "light"), ("ja", "dark")]
LOOKS = [("en", "light"), ("ja", "light"), ("en", "dark"), ("ja", "dark")]


class BrowserFailed(Exception):
    """What the page did not do; the picture shows it."""


class Browser:
    """One browser for the length of a with statement; every method is an act of driver.mjs."""

    def __init__(self):
        self.process = None
        self.opened = False  # a page was opened in it, by tests that share several

    def __enter__(self):
        driver = REPOSITORY / "web" / "tools" / "driver.mjs"
        if not (REPOSITORY / "web" / "node_modules" / "playwright-core").exists():
            raise unittest.SkipTest("build first: web/node_modules is not installed")
        self.process = subprocess.Popen(["node", driver], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, act, **settings):
        self.process.stdin.write(json.dumps({"do": act, **settings}) + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise BrowserFailed("the browser has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserFailed(f"{act} {settings}: {answer['error']}")
        return answer["ok"]

    def __getattr__(self, act):
        return lambda **settings: self.ask(act, **settings)

    def log_in(self, url, code, language="en", theme="light", **settings):
        """Opens the pages of a site and types a code of `warifu web code`."""
        self.open(url=url, language=language, theme=theme, **settings)
        self.fill(selector="input.code", value=code)
        self.press(key="Enter")
        self.see(selector="nav")

    def shot(self, name):
        self.picture(path=str(PICTURES / f"{name}.png"))


def note_figure(figure):
    """A line for tools/verify/web_rows.py, which wants to know what was looked at."""
    if "WARIFU_AXE" in os.environ:
        with open(os.environ["WARIFU_AXE"], "a", encoding="utf-8") as figures:
            figures.write(json.dumps(figure) + "\n")


def inspect(test, browser, name, looks=None, without=None):
    """The page as it is, in both languages and themes: no violation of axe's rules, but for what is
    `without` (a selector); two pictures. Leaves the page in English and light."""
    for language, theme in looks or LOOKS:
        browser.appear(language=language, theme=theme)
        if (language, theme) in PICTURED:
            browser.shot(f"{name}-{language}-{theme}")
        found = browser.axe(without=without)
        note_figure({"page": name, "language": language, "theme": theme, "violations": len(found)})
        test.assertEqual(found, [], f"{name} in {language}, {theme}")
    browser.appear(language="en", theme="light")
