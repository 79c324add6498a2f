"""Plain HTTP to a site, without the command line between."""

import http.client
import pathlib
import socket


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a site's socket."""

    def __init__(self, folder, data):
        super().__init__("site", timeout=30)
        text = (folder / "site.toml").read_text()
        named = [line.split('"')[1] for line in text.splitlines() if line.startswith("api_socket")]
        self.path = str(pathlib.Path(named[0] if named else data / "api.sock"))
        if not self.path.startswith("/"):
            self.path = str(folder / self.path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
