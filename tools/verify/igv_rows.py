"""A row about the reads in a browser: igv.js on the site's own htsget server, under a consent.

A six-site network, a person with a made-up genome at 45x, consents to regions; each is opened in
Debian's Chromium, and what igv.js has loaded is held against samtools on the original.
"""

import contextlib
import os
import pathlib
import sys

from frame import row

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

PLACES = ("chr20:3000-9000", "chr20:20500-20501", "chr20:30000-45000", "chr20:70000-82000")


def opened(site, browser, place):
    """(reads that igv.js shows, reads by samtools)"""
    request, _ = site.given(f"GRCh38:{place}", uses=1)
    wanted = site.records(place)
    if wanted == 0:
        return 0, 0
    loaded, _ = site.open_viewer(browser, request)
    browser.shot(f"igv-{place.replace(':', '-')}")
    browser.click(role="button", name="Close and wipe")
    browser.read(text="the site has wiped the reads")
    return loaded, wanted


def rows(build, _):
    """igv_in_browser: places whose reads igv.js shows exactly, and nothing from elsewhere."""
    os.environ.setdefault("WARIFU_BINARY", str(pathlib.Path(build) / "warifu"))
    from browser import Browser
    from clinic_site import ClinicSite
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(ClinicSite())
        browser = stack.enter_context(Browser())
        site.log_in(browser)
        found = [opened(site, browser, place) for place in PLACES]
        troubles = browser.troubles()
        left = site.ask("view", "list")["views"]
    right = sum(loaded == wanted for loaded, wanted in found)
    reads = sum(loaded for loaded, _ in found)
    yield row("igv_in_browser", right, "places", len(PLACES),
              right == len(PLACES) and not troubles and not left,
              f"{reads:,} reads as samtools has them; {len(troubles)} errors, breaches of the policy or "
              f"requests to other origins; {len(left)} views left open")


if __name__ == "__main__":
    import frame
    for one in rows(sys.argv[1], {}):
        frame.show(one)
