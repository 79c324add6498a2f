"""A site with pages, a person whose made-up genome is stored with its index, and requests that the
person has granted: what test_clinic_pages.py and `./run verify genome` show to clinicians."""

import re
import subprocess

from generated_reads import GeneratedReads
from network import binary, free_port, Person, TestNetwork

READ_TEXT = re.compile(r"([\d,]+) reads are loaded here, of ([\d,]+) in the view")


class ClinicSite:
    """Up for the length of a with statement."""

    def __init__(self, sites=40, depth=45):
        self.network = TestNetwork(preshare="48M", start=False)
        self.sites, self.depth = sites, depth

    def __enter__(self):
        self.network.__enter__()
        try:
            self._begin()
        except BaseException:
            self.network.print_logs()
            self.network.close()
            raise
        return self

    def __exit__(self, *_):
        self.network.close()

    def _begin(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        self.folder = self.network.root / "reads"
        self.folder.mkdir()
        self.reads = GeneratedReads(self.folder, sites=self.sites, depth=self.depth)
        self.scoring = self.folder / "scoring.txt"
        config = self.network.site("tommo") / "site.toml"
        config.write_text(config.read_text() + f'\n[web]\nlisten = "127.0.0.1:{port}"\n'
                          f'\n[genome]\nreferences = ["GRCh38={self.folder / "ref.fa"}"]\n')
        self.network.up()
        self.person = Person(self.network, "P-001", keys=80)
        self.object = self.person.store(self.folder / "reads.cram", genome=True,
                                        assembly="GRCh38")["object"]

    def ask(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def given(self, *regions, **settings):
        """A request that the person has granted; its id and the consent's."""
        wish = {"object": self.object, "purpose": "medicine", "grantee": "Dr. Ito", "uses": 3,
                **settings}
        options = [part for name, value in wish.items() for part in (f"--{name}", str(value))]
        options += [part for region in regions for part in ("--region", region)]
        request = self.ask("request", "ask", *options)["request"]
        grant = self.ask("request", "give", request, "--card", self.person.card, "--pin-file",
                         self.person.pin_file, "--yes")["grant"]
        return request, grant

    def log_in(self, browser, **settings):
        browser.log_in(self.url, self.ask("web", "code")["code"], **settings)

    def score_by_command(self):
        """Of the file itself, as the command line computes it."""
        done = subprocess.run([binary(), "risk", "score", "--score", self.scoring, "--genome",
                               self.folder / "reads.cram", "--fasta", self.folder / "ref.fa",
                               "--json"], check=True, stdout=subprocess.PIPE)
        return done.stdout

    def records(self, place):
        """How many reads samtools finds there."""
        return int(self.reads.run("samtools", "view", "-c", "-T", "ref.fa", "reads.cram", place))

    def open_viewer(self, browser, request, region=None):
        """Opens the reads in the browser and waits until igv.js has some; (loaded, in the view)."""
        browser.visit(path=f"/viewer?request={request}")
        browser.see(role="button", name="Open")
        if region:
            browser.fill(label="Region", value=region)
        browser.click(role="button", name="Open", exact=True)
        browser.see(selector=".clipped", limit=60_000)
        browser.read(text="reads are loaded here")
        browser.evaluate(script="""new Promise((done, failed) => {
          const begun = performance.now();
          const look = () => {
            const text = document.querySelector("p.figure[role=status]")?.innerText ?? "";
            if (/^[1-9]/.test(text)) done(text);
            else if (performance.now() - begun > 20000) failed(new Error("no reads: " + text));
            else setTimeout(look, 50);
          };
          look();
        })""")
        found = READ_TEXT.search(browser.text(selector="p.figure[role=status]"))
        return tuple(int(number.replace(",", "")) for number in found.groups())
