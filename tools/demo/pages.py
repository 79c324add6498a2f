"""The pages of the demonstration: where they are, who lets one in, and that they are alive.

The control site's pages speak to a browser on this machine; the kiosk is a process of its own with the
person's card on its reader. Standard library only.
"""

import contextlib
import http.client
import json
import subprocess
import time
import urllib.parse

from report import DIM, StepFailed

CONTROL = "tommo"
PATIENCE = 20  # seconds for a page to answer
GRANTEE = "Dr. Ito, TUH"


def call(url, method="GET", *, key="page", body=None, cookie=None):
    """(status, headers, text) of one request as a page of that address makes it."""
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=PATIENCE)
    headers = {"Warifu-Page": key, "Origin": f"{at.scheme}://{at.netloc}"}
    if cookie:
        headers["Cookie"] = cookie
    if body is not None:
        headers["Content-Type"] = "application/json"
    with contextlib.closing(connection):
        connection.request(method, at.path or "/", headers=headers,
                           body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")


def first_event(url, key, cookie):
    """The name of the first live event that the site sends to a page."""
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=PATIENCE)
    headers = {"Warifu-Page": key}
    if cookie:
        headers["Cookie"] = cookie
    with contextlib.closing(connection):
        connection.request("GET", "/v1/events", headers=headers)
        answer = connection.getresponse()
        while answer.status == 200:
            line = answer.readline().decode()
            if not line:
                break
            if line.startswith("event:"):
                return line.partition(":")[2].strip()
    return ""


class Pages:
    """A context: the kiosk runs for its length. `reader` as of Scenario."""

    def __init__(self, network, scenario, work, reader=None):
        self.network, self.scenario, self.reader = network, scenario, reader
        self.warifu = network.warifu
        self.site = network.site(CONTROL)
        self.address = work / "kiosk.address"
        self.kiosk = None

    def __enter__(self):
        if self.reader:
            self.reader.lay(self.scenario.card_file)
        command = [str(self.warifu.binary), "kiosk", "--card", str(self.scenario.card), "--site",
                   str(self.site), "--listen", "127.0.0.1:0", "--name", "demo", "--address-file",
                   str(self.address)]
        if self.reader:
            # It sees the reader's /run, and is reached over this machine's loopback.
            command = [*self.reader.enter(network=False), *command]
        self.address.unlink(missing_ok=True)
        self.kiosk = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + PATIENCE
        while not (self.address.exists() and self.address.read_text().strip()):
            if self.kiosk.poll() is not None:
                raise StepFailed(f"the kiosk ended: {self.kiosk.stderr.read().strip()}")
            if time.monotonic() > end:
                self.__exit__()
                raise StepFailed(f"the kiosk is not there after {PATIENCE} s")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.kiosk.terminate()
        try:
            self.kiosk.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kiosk.kill()
            self.kiosk.wait()
        self.kiosk.stderr.close()

    @property
    def kiosk_url(self):
        return self.address.read_text().strip()

    def code(self):
        """A fresh code, and where it is typed in."""
        return self.warifu.ask("web", "code", "--site", self.site)

    def ask_for_consent(self):
        """A clinician's request, which waits for the person at the kiosk."""
        return self.warifu.ask("request", "ask", "--site", self.site, "--object",
                               self.scenario.object, "--purpose", "medicine", "--grantee", GRANTEE,
                               "--note", "asked by the demonstration")

    def check(self, evidence):
        """Logs in as a browser does and looks: the page, live figures, the kiosk and its card."""
        given = self.code()
        url = given["url"]
        status, headers, text = call(url + "app/")
        if status != 200 or "Content-Security-Policy" not in headers or "<script" not in text:
            raise StepFailed(f"{url} gives no page: status {status}")
        status, headers, text = call(url + "v1/web/login", "POST", body={"code": given["code"]})
        if status != 200:
            raise StepFailed(f"the code does not let in: status {status}: {text}")
        key = json.loads(text)["key"]
        cookie = (headers["Set-Cookie"] or "").partition(";")[0]
        status, _, text = call(url + "v1/jobs", key=key, cookie=cookie)
        jobs = len(json.loads(text)["jobs"]) if status == 200 else 0
        event = first_event(url, key, cookie)
        at, _, kiosk_key = self.kiosk_url.partition("#")
        status, _, text = call(at + "v1/kiosk", key=kiosk_key)
        kiosk = json.loads(text) if status == 200 else {}
        evidence |= {"url": url, "jobs": jobs, "first_event": event, "kiosk": at, "reader": kiosk}
        return jobs > 0 and bool(event) and bool(kiosk.get("card"))

    def show(self, screen):
        """Where everything is; a code for as long as somebody sits at the terminal."""
        request = self.ask_for_consent()
        screen.fact("the pages of the control site", self.code()["url"])
        screen.fact("the person's kiosk, the card on its reader", self.kiosk_url)
        screen.say(f"{request['grantee']} has just asked for a consent: the kiosk shows it"
                   + ("." if self.scenario.pin_file is None else "; the PIN is "
                      f"{self.scenario.pin_file.read_text().strip()}."))
        while True:
            screen.fact("code to log in, for two minutes and once", self.code()["code"])
            try:
                input(screen.paint(DIM, "  [Enter: another code; Ctrl-C: close the kiosk] "))
            except (KeyboardInterrupt, EOFError):
                screen.line()
                return

