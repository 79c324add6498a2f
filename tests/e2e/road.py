"""A road between a client and a site's socket, which breaks where a test says."""

import re
import socket
import threading


class Road:
    """Passes everything on, until it breaks. `folder` is what a client names with --site."""

    def __init__(self, folder, site):
        text = (site / "site.toml").read_text()
        line = re.search(r'^api_socket\s*=\s*"([^"]+)"', text, re.MULTILINE)
        folder.mkdir()
        self.path, self.real, self.mark, self.left = folder / "s", site / line[1], None, 0
        (folder / "site.toml").write_text(text.replace(line[0], f'api_socket = "{self.path}"'))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def break_at(self, mark, after=1):
        """The connection breaks when such a request comes for the `after`th time; once."""
        self.mark, self.left = mark, after

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with client, socket.socket(socket.AF_UNIX) as site:
            try:
                site.connect(str(self.real))
                back = threading.Thread(target=self.pass_on, args=(site, client), daemon=True)
                back.start()
                while data := client.recv(65536):
                    if self.mark and self.mark in data:
                        self.left -= 1
                        if self.left == 0:
                            self.mark = None
                            break
                    site.sendall(data)
                site.shutdown(socket.SHUT_RDWR)
                back.join()
            except OSError:
                pass

    @staticmethod
    def pass_on(site, client):
        try:
            while data := site.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
