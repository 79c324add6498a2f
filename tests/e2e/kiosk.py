"""A kiosk as tests drive it: the process, and the requests of its page without a browser."""

import http.client
import itertools
import json
import signal
import subprocess
import urllib.parse

from network import binary, wait_until

PATIENCE = 60
NUMBERS = itertools.count(1)


def has_pages(network):
    """Whether the program was built with the pages that a kiosk needs."""
    return network.warifu.call("kiosk", "--card", "none", "--listen", "0.0.0.0:1", "--site",
                               network.site("tommo"))[0] != 3


class Trouble(Exception):
    """What the kiosk says when something fails."""

    def __init__(self, status, answer):
        super().__init__(f"{status} {answer}")
        self.status, self.code, self.trouble = status, answer["code"], answer.get("trouble", "")


class Kiosk:
    """A context. `card`: what --card says, or None with options for a token; `reader`: a virtual one
    that the kiosk is to see; `site`: the folder of the site, or what stands for it."""

    def __init__(self, network, card, *options, name="lobby", reader=None, idle="15m", site=None):
        self.address = network.root / f"kiosk-{next(NUMBERS)}.address"
        # It sees the reader's /run, and is reached over this machine's loopback.
        inside = [] if reader is None else reader.enter(network=False)
        self.command = [*inside, binary(), "kiosk", "--site", site or network.site("tommo"), "--listen",
                        "127.0.0.1:0", "--name", name, "--idle", idle, "--address-file",
                        self.address, *options, *([] if card is None else ["--card", card])]
        self.process = self.port = self.key = self.page_url = None

    def __enter__(self):
        self.address.unlink(missing_ok=True)
        self.process = subprocess.Popen([*map(str, self.command)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: self.address.exists() and self.address.read_text(), 20, "the kiosk")
        self.page_url = self.address.read_text().strip()
        url = urllib.parse.urlsplit(self.page_url)
        self.port, self.key = url.port, url.fragment
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Again: nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(20) == 0, "the kiosk failed"

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=None):
        """The status and the answer, whatever they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, f"/v1/kiosk{path}", body=body, headers={
            "Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}",
            "Warifu-Page": self.key})
        answer = connection.getresponse()
        value = json.loads(answer.read())
        connection.close()
        return answer.status, value

    def ask(self, method, path, body=None):
        status, value = self.call(method, path, body)
        if status != 200:
            raise Trouble(status, value)
        return value

    # --- acts ---

    def view(self):
        return self.ask("GET", "")

    def enter(self, pin=""):
        return self.ask("POST", "/enter", pin)

    def leave(self):
        return self.ask("POST", "/leave", "")

    def page(self):
        return self.ask("GET", "/page")

    def history(self):
        return self.ask("GET", "/history")

    def read(self, request, language="en"):
        return self.ask("POST", f"/requests/{request}/read?language={language}", "")

    def accept(self, prepared, pin=""):
        digest = urllib.parse.quote(prepared["digest"])
        return self.ask("POST", f"/requests/{prepared['request']}/accept?digest={digest}", pin)

    def refuse(self, request, why=""):
        return self.ask("POST", f"/requests/{request}/refuse", json.dumps({"why": why}))

    def withdraw(self, grant, pin=""):
        return self.ask("POST", f"/consents/{grant}/withdraw", pin)

    def wait_for_card(self, present=True):
        wait_until(lambda: (self.view()["card"] is not None) == present, 20,
                   lambda: f"the card to be {'there' if present else 'gone'}: {self.view()}")
