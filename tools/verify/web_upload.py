"""A 2 GiB file from a real browser into a site, whose connection is lost on the way: rate, memory of the
site and of the page, nothing sent twice but the piece that was lost. rows(build, amounts) yields rows.
"""

import os
import pathlib
import re
import sys
import time

from frame import row

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

from browser import Browser  # noqa: E402
from network import Person, TestNetwork, wait_until  # noqa: E402

MOST_GROWTH = 128 * 1024 * 1024  # bytes, of the site's process
MOST_HEAP = 128 * 1024 * 1024    # bytes, of the page
LEAST_RATE = 20_000_000          # bytes in a second


def peak(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


def received(browser):
    """Bytes that the page says the site has."""
    return browser.evaluate(script="Number(document.querySelector('.upload progress')?.value ?? 0)")


def rows(build, amounts):
    """amounts["upload_bytes"]: the file's length."""
    os.environ["WARIFU_BINARY"] = str(build / "warifu")
    size = amounts["upload_bytes"]
    with TestNetwork(preshare="16M", start=False) as network:
        config = network.site("tommo") / "site.toml"
        port = 18_480
        config.write_text(config.read_text() + f'\n[web]\nlisten = "127.0.0.1:{port}"\n')
        network.up()
        Person(network, "P-001", keys=4)
        file = network.root / "genome.cram"
        with file.open("wb") as out:
            out.truncate(size)
        before = peak(network.pid("tommo"))
        site = network.site("tommo")
        with Browser() as browser:
            code = network.warifu.ask("web", "code", "--site", site)["code"]
            browser.log_in(f"http://127.0.0.1:{port}/", code)
            browser.visit(path="/app/people/P-001")
            browser.attach(label="File", path=str(file))
            began = time.monotonic()
            browser.click(role="button", name="Store", exact=True)
            wait_until(lambda: received(browser) >= 30, 300, "a third to be there")
            browser.offline(on=True)
            browser.read(text="The connection is lost")
            stood = received(browser)
            time.sleep(2)
            browser.offline(on=False)
            wait_until(lambda: received(browser) > stood, 60, "the upload to go on")
            heap = browser.evaluate(script="performance.memory.usedJSHeapSize")
            browser.read(text="The site has all of it", limit=900_000)
            seconds = time.monotonic() - began - 2
        stored = network.warifu.ask("object", "list", "--site", site)["objects"][0]
        growth = peak(network.pid("tommo")) - before
    note = f"{size / 2**30:.2f} GiB through Chromium, offline at {stood} %"
    yield row("upload_rate", size / seconds, "B/s", LEAST_RATE, size / seconds >= LEAST_RATE, note)
    yield row("upload_complete", stored["bytes"], "bytes", size, stored["bytes"] == size,
              "the site's object has the file's length")
    yield row("upload_site_memory", growth, "bytes", MOST_GROWTH, growth <= MOST_GROWTH,
              "growth of the site's peak resident memory")
    yield row("upload_page_memory", heap, "bytes", MOST_HEAP, heap <= MOST_HEAP,
              "the page's heap in the middle of it")


def main():
    """By itself: python3 web_upload.py --build build/release [--quick]."""
    import frame
    return frame.main("web_upload", __doc__, rows,
                      ({"upload_bytes": 2 << 30}, {"upload_bytes": 128 << 20}), "128 MiB")


if __name__ == "__main__":
    sys.exit(main())
