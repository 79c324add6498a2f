"""A kiosk as tests drive it: the process, and the requests of its page without a browser."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import urllib.parse

from network import binary, wait_until

PATIENCE = 60
# From a socket file to a port inside the namespace of a virtual reader, one connection at a time.
RELAY = """
import socket, sys, threading
front = socket.socket(socket.AF_UNIX); front.bind(sys.argv[1]); front.listen()
def copy(one, other):
    try:
        while data := one.recv(65536): other.sendall(data)
    finally:
        other.shutdown(socket.SHUT_WR)
while True:
    near, _ = front.accept(); far = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


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
    that the kiosk is to see."""

    def __init__(self, network, card, *options, name="lobby", reader=None, idle="15m"):
        self.network, self.reader = network, reader
        self.port = free_port()
        self.address = network.root / f"kiosk-{self.port}.address"
        self.command = [binary(), "kiosk", "--site", network.site("tommo"), "--listen",
                        f"127.0.0.1:{self.port}", "--name", name, "--idle", idle,
                        "--address-file", self.address, *options]
        self.command += [] if card is None else ["--card", card]
        self.process = self.relay = None

    def __enter__(self):
        inside = [] if self.reader is None else self.reader.enter()
        self.address.unlink(missing_ok=True)
        self.process = subprocess.Popen([*inside, *map(str, self.command)],
                                        stdout=subprocess.DEVNULL)
        wait_until(lambda: self.address.exists() and self.address.read_text(), 20, "the kiosk")
        self.key = self.address.read_text().strip().partition("#")[2]
        if self.reader is not None:
            self.path = self.network.root / f"k{self.port}.sock"
            self.relay = subprocess.Popen([*inside, sys.executable, "-c", RELAY, str(self.path),
                                           str(self.port)])
            wait_until(self.path.exists, 10, "the relay")
        return self

    def __exit__(self, *_):
        if self.relay:
            self.relay.kill()
            self.relay.wait()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, "the kiosk failed"

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        if self.reader is not None:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(PATIENCE)
            connection.sock.connect(str(self.path))
        return connection

    def ask(self, method, path, body=None):
        connection = self.connect()
        connection.request(method, f"/v1/kiosk{path}", body=body, headers={
            "Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}",
            "Warifu-Page": self.key})
        answer = connection.getresponse()
        value = json.loads(answer.read())
        connection.close()
        if answer.status != 200:
            raise Trouble(answer.status, value)
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
