"""Plain HTTP to a site, without the command line between."""

import http.client
import json
import pathlib
import socket


class Api(http.client.HTTPConnection):
    """The local API of a site, as a rooted terminal or a curious operator would speak to it."""

    def __init__(self, path, host="localhost", timeout=None):
        super().__init__(host, timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def get(self, path):
        self.request("GET", path)
        answer = self.getresponse()
        return answer.status, json.loads(answer.read())

    def post(self, path, body):
        self.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.getresponse()
        return answer.status, json.loads(answer.read())


class SocketConnection(Api):
    """The same by a site's folders, as its configuration names the socket."""

    def __init__(self, folder, data):
        text = (folder / "site.toml").read_text()
        named = [line.split('"')[1] for line in text.splitlines() if line.startswith("api_socket")]
        path = pathlib.Path(named[0] if named else data / "api.sock")
        super().__init__(folder / path, host="site", timeout=30)
