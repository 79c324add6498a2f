"""Rows about the pages: a network of 1,000 links on the map, in a real browser on a real site.

The control site of a running six-site network is told of so many further sites and links; nobody
answers there, which costs the site more than answers would. Measured are medians of some runs.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile

from frame import row

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

FAR_SITES = 200  # a site's number has one byte
STEPS = (1, 2, 3, 7, 13)  # from a far site to others, round a ring
GOAL_SECONDS = 1.0

# From the navigation to the last line of the map, as the browser's own clock has it.
DRAWN = """new Promise((done) => {
  const look = () => {
    const lines = document.querySelectorAll(".map .line").length;
    if (lines >= LINKS) requestAnimationFrame(() => done(performance.now()));
    else setTimeout(look, 10);
  };
  look();
})"""
# From an operator's order (transport of a link off, or on again) to its word in the page.
CHANGED = """new Promise(async (done) => {
  const facts = document.querySelector(".details .facts");
  const before = facts.innerText;
  const key = localStorage.getItem("warifu.key");
  const begun = performance.now();
  const watch = new MutationObserver(() => {
    if (facts.innerText === before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  watch.observe(facts, {subtree: true, childList: true, characterData: true});
  await fetch("/v1/switches", {method: "POST", headers: {"Warifu-Page": key},
    body: JSON.stringify({link: "lsa", for: "transport", value: "VALUE"})});
})"""


def far_network(links):
    """TOML of far sites and of links between them, together with the eight that are there."""
    text = ""
    for i in range(FAR_SITES):
        text += (f'\n[[sites]]\nname = "far{i:03}"\nnumber = {i + 20}\nlabels = ["far"]\n'
                 f'region = "r{i % 12:02}"\n')
    pairs = [(i, (i + step) % FAR_SITES) for step in STEPS for i in range(FAR_SITES)]
    for i, (a, b) in enumerate(pairs[:links]):
        kind = "qkd" if i % 2 else "preshared"
        text += f'\n[[links]]\na = "far{a:03}"\nb = "far{b:03}"\nclass = "{kind}"\n'
    return text


def settle(network, links):
    """Adds the far network and the pages to the control site; the port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = network.site("tommo") / "site.toml"
    text = config.read_text()
    already = len(re.findall(r"^\[\[links\]\]", text, re.MULTILINE))
    config.write_text(text + far_network(links - already) +
                      f'\n[web]\nlisten = "127.0.0.1:{port}"\nlook = "5s"\n')
    return port


def measured(network, browser, port, links, runs):
    """(seconds to the drawn map, seconds to a new figure), of every run."""
    from browser import PICTURES
    code = network.warifu.ask("web", "code", "--site", network.site("tommo"))["code"]
    browser.log_in(f"http://127.0.0.1:{port}/", code)
    for i in range(runs):
        browser.visit(path="/app/network?link=tommo%7Clsa")
        drawn = browser.evaluate(script=DRAWN.replace("LINKS", str(links)))
        changed = browser.evaluate(script=CHANGED.replace("VALUE", "on" if i % 2 else "off"))
        yield drawn / 1000, changed / 1000
    browser.picture(path=str(PICTURES / f"network-{links}-links.png"), seen=True)


def rows(build, amounts):
    """Page load and first live update with `web_links` links (1,000)."""
    os.environ.setdefault("WARIFU_BINARY", str(pathlib.Path(build) / "warifu"))
    from browser import Browser
    from network import TestNetwork
    links, runs = amounts.get("web_links", 1000), amounts.get("web_runs", 5)
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(TestNetwork(preshare="16M", start=False))
        port = settle(network, links)
        network.up()
        browser = stack.enter_context(Browser())
        times = list(measured(network, browser, port, links, runs))
        troubles = browser.troubles()
    for name, at, note in (("web_map_load", 0, "from the navigation to the last line of the map"),
                           ("web_live_update", 1, "from an order about a link to its word in the page")):
        value = statistics.median(time[at] for time in times)
        worst = max(time[at] for time in times)
        yield row(name, value, "s", GOAL_SECONDS, value <= GOAL_SECONDS,
                  f"{links:,} links; {note}; median of {runs}, worst {worst:.2f}")
    yield row("web_console", len(troubles), "errors", 0, not troubles,
              "errors, breaches of the content policy, requests to other origins")


def accessibility(build, modules):
    """The tests of the pages, each of which holds axe's rules against what it shows."""
    tests = REPOSITORY / "tests" / "e2e"
    with tempfile.NamedTemporaryFile(prefix="verify-axe-", mode="r") as figures:
        done = subprocess.run([sys.executable, "-B", "-m", "unittest", *modules], cwd=tests,
                              env={**os.environ, "WARIFU_BINARY": str(build / "warifu"),
                                   "WARIFU_DATA": str(build / "data"),
                                   "WARIFU_AXE": figures.name},
                              capture_output=True, text=True, check=False)
        looks = [json.loads(line) for line in figures.read().splitlines()]
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    found = sum(look["violations"] for look in looks)
    pages = {look["page"] for look in looks}
    yield row("web_accessibility", found, "violations", 0,
              done.returncode == 0 and found == 0 and len(pages) > 5,
              f"axe-core over {len(pages)} states of pages, {len(looks)} looks (Japanese, English, light, "
              f"dark): {', '.join(module.removeprefix('test_') for module in modules)}")


if __name__ == "__main__":
    import frame
    for one in rows(sys.argv[1], {}):
        frame.show(one)
