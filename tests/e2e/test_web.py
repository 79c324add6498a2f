"""The pages of a site in a real browser: logging in, what changes as it happens, what is refused,
and that everybody can use them (axe-core) in both languages and themes."""

import http.client
import json
import re
import unittest

from browser import Browser, inspect
from network import free_port, NetworkTest, Person, random_file, TestNetwork, wait_until

SIZE = 1_000_000
DIALOG = [("en", "light"), ("ja", "dark")]  # the page below it is looked at in all four


class Web(NetworkTest):
    """A network whose control site shows its pages on loopback, in single-operator mode."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="16M", rate="8Mbit/s", start=False))
        cls.port = free_port()
        cls.url = f"http://127.0.0.1:{cls.port}/"
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(config.read_text() +
                          f'\n[web]\nlisten = "127.0.0.1:{cls.port}"\nlook = "2s"\n'
                          '[keys]\nready = "8M"\n')
        cls.network.up()
        cls.person = Person(cls.network, "P-001", keys=20)
        random_file(cls.network.root / "genome", SIZE, seed=7)
        cls.stored = cls.person.store(cls.network.root / "genome")["object"]
        cls.browser = cls.enterClassContext(Browser())

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def code(self):
        return self.at_site("web", "code")["code"]

    def log_in(self, **settings):
        self.browser.log_in(self.url, self.code(), **settings)

    def plain(self, method, path, body=None, **headers):
        """A request as a program would make it: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Host": f"127.0.0.1:{self.port}", **headers}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        result = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return result

    def tearDown(self):
        super().tearDown()
        if self.browser.process.poll() is None and getattr(self, "watched", True):
            self.assertEqual(self.browser.troubles(), [])

    def test_a_code_logs_in_once_and_a_session_can_be_ended(self):
        code = self.code()
        self.browser.open(url=self.url)
        self.browser.see(role="heading", name="Log in")
        inspect(self, self.browser, "login")
        self.browser.fill(selector="input.code", value="0000-0000")
        self.browser.press(key="Enter")
        self.browser.read(text="this code is wrong, used or too old")
        self.browser.fill(selector="input.code", value=code.lower())
        self.browser.press(key="Enter")
        self.browser.see(role="heading", name="Overview")
        # What a refused login leaves in the console is the browser's own note of the status.
        troubles = [text for text in self.browser.troubles() if "status of" not in text]
        self.assertEqual(troubles, [])
        cookie = next(one for one in self.browser.cookies()
                      if one["name"] == f"warifu_session_{self.port}")
        self.assertTrue(cookie["httpOnly"])
        self.assertEqual(cookie["sameSite"], "Strict")
        status, _, body = self.plain(
            "POST", "/v1/web/login", json.dumps({"code": code}),
            **{"Origin": self.url.rstrip("/"), "Warifu-Page": "page"})
        self.assertEqual((status, json.loads(body)["code"]), (403, "refused"))
        # The cookie alone, as another port of this machine would get it, opens nothing.
        status, _, _ = self.plain("GET", "/v1/status",
                                  **{"Cookie": f"{cookie['name']}={cookie['value']}"})
        self.assertEqual(status, 401)
        session = next(one["session"] for one in self.at_site("web", "sessions")["sessions"])
        self.at_site("web", "end", session)
        self.browser.see(role="heading", name="Log in")
        events = [record["event"] for record in self.at_site("audit", "list")["records"]]
        for event in ("web_session_began", "web_session_ended", "web_login_refused"):
            self.assertIn(event, events)
        self.browser.troubles()

    def test_pages_are_fenced_in_and_kept_by_browsers_as_they_may(self):
        status, headers, body = self.plain("GET", "/app/network")
        self.assertEqual(status, 200)
        policy = headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                     "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Cache-Control"], "no-cache")
        status, _, _ = self.plain("GET", "/app/", **{"If-None-Match": headers["ETag"]})
        self.assertEqual(status, 304)
        script = re.search(rb'src="(/assets/[^"]+\.js)"', body)[1].decode()
        status, headers, plain = self.plain("GET", script)
        self.assertIn("immutable", headers["Cache-Control"])
        self.assertNotIn("Content-Encoding", headers)
        status, headers, small = self.plain("GET", script, **{"Accept-Encoding": "gzip, br"})
        self.assertEqual(headers["Content-Encoding"], "br")
        self.assertLess(len(small), len(plain) / 2)
        self.assertEqual(self.plain("GET", "/assets/../../etc/passwd")[0], 400)
        self.assertEqual(self.plain("GET", "/assets/nothing.js")[0], 404)

    def test_other_names_and_other_pages_are_refused(self):
        own = self.url.rstrip("/")
        body = json.dumps({"code": "0000-0000"})
        page = {"Warifu-Page": "page"}
        # A name that was made to point here (DNS rebinding).
        self.assertEqual(self.plain("GET", "/app/", Host=f"evil.example:{self.port}")[0], 421)
        self.assertEqual(self.plain("GET", "/v1/status", Host="127.0.0.1")[0], 421)
        for headers in ({"Origin": "http://evil.example", **page}, {"Origin": own}, page,
                        {"Origin": own, "Sec-Fetch-Site": "cross-site", **page},
                        {"Origin": "null", **page}):
            self.assertEqual(self.plain("POST", "/v1/web/login", body, **headers)[0], 403, headers)
        self.assertEqual(self.plain("GET", "/v1/status")[0], 401)
        self.assertEqual(self.plain("GET", "/v1/status", **{"Sec-Fetch-Site": "same-site"})[0], 403)
        # A session never makes codes for further ones.
        self.assertEqual(self.plain("POST", "/v1/web/code", "{}", Origin=own, **page)[0], 401)

    def test_every_page_can_be_used_by_everybody(self):
        self.log_in()
        self.browser.read(text="Live")
        for path, heading in (("/", "Overview"), ("/network", "Network"), ("/jobs", "Jobs"),
                              ("/session", "Your session")):  # the log has a test of its own
            self.browser.visit(path=f"/app{path}")
            self.browser.see(role="heading", name=heading)
            self.browser.read(text="Live")
            inspect(self, self.browser, heading.lower().replace(" ", "-"))
        # Figures are those of the command line.
        self.browser.visit(path="/app/")
        def agrees():
            ready = sum(link["send"]["state"] == link["receive"]["state"] == "ready"
                        for link in self.at_site("keys", "status")["links"])
            return ready > 0 and f"{ready} of 2" in self.browser.text(selector=".tiles")
        wait_until(agrees, 30, "links that are ready, on the page as on the command line")
        # One link in full.
        self.browser.visit(path="/app/network")
        self.browser.click(role="button", name="tommo – lsa")
        self.browser.see(selector=".history canvas", limit=45_000)
        inspect(self, self.browser, "link", looks=[("en", "light"), ("ja", "dark")])
        self.browser.visit(path="/app/nowhere")
        self.browser.see(role="heading", name="There is no such page")

    def test_an_auditor_searches_proves_and_exports(self):
        self.log_in()
        self.browser.click(role="link", name="Log and proofs")
        self.browser.click(role="button", name="Ask all witnesses now")
        self.browser.read(text="All witnesses were asked.")
        self.browser.see(selector=".facts .badge-good")  # the checkpoint's signature
        inspect(self, self.browser, "log")
        self.browser.fill(label="Object, card, route or other text", value=self.stored[:12])
        self.browser.fill(label="Act", value="object_*")
        self.browser.click(role="button", name="Search")
        self.browser.read(selector="td", text="object_committed")
        self.assertNotIn("log_created", self.browser.text(selector="main"))
        self.browser.click(role="button", name="Proof of record")
        self.browser.see(selector="dialog .checks li:nth-child(3) .badge-good")
        checks = self.browser.text(selector="dialog .checks")
        self.assertEqual(checks.count("holds"), 3, checks)
        inspect(self, self.browser, "log-proof", looks=DIALOG)
        saved = self.browser.download(role="button", name="Save the proof")
        path = self.network.root / saved["name"]
        path.write_text(saved["text"])
        checked = self.network.warifu.ask("audit", "prove", "--check", path)
        self.assertTrue(checked["holds"])
        self.browser.press(key="Escape")
        self.browser.fill(label="Records at that time", value="3")
        self.browser.click(role="button", name="Check", exact=True)
        self.browser.see(selector=".columns .checks li:nth-child(2) .badge-good")
        for form, part in (("jsonl", '"event":"object_committed"'), ("fhir", "AuditEvent"),
                           ("dicom", "<AuditMessage>")):
            self.browser.choose(label="Form", value=form)
            saved = self.browser.download(role="button", name="Export", exact=True)
            self.assertIn(part, saved["text"])
            self.assertIn(self.stored, saved["text"])
            self.assertNotIn("log_created", saved["text"])

    def test_work_is_paused_and_cancelled_by_keyboard(self):
        random_file(self.network.root / "large", 60_000_000, seed=9)  # a minute's key
        job = self.network.store(self.network.root / "large", "P-001", no_wait=True)["job"]
        self.log_in()
        # From the address bar: the first Tab leads to the content, without the navigation.
        self.browser.visit(path="/app/jobs")
        self.browser.see(role="button", name="Pause")
        self.browser.evaluate(script="document.activeElement.blur()")
        self.browser.press(key="Tab")
        self.assertEqual(self.browser.evaluate(script="document.activeElement.className"), "skip")
        self.browser.press(key="Enter")
        self.assertEqual(self.browser.evaluate(script="document.activeElement.id"), "content")
        for name, state in (("Pause", "paused"), ("Resume", "waiting_key")):
            self.browser.see(role="button", name=name)
            self.browser.evaluate(script=f"""[...document.querySelectorAll("main button")]
                .find((one) => one.innerText === "{name}").focus()""")
            self.browser.press(key="Enter")
            wait_until(lambda: self.network.job(job)["state"] == state or
                       state == "waiting_key" and self.network.job(job)["state"] == "running",
                       20, f"the job to be {state}")
        self.browser.click(role="button", name="Cancel job")
        self.browser.see(selector="dialog[open]")
        inspect(self, self.browser, "dialog", looks=DIALOG)
        self.browser.press(key="Escape")
        self.browser.see(selector="dialog[open]", gone=True)
        self.browser.click(role="button", name="Cancel job")
        self.browser.click(within="dialog", role="button", name="Cancel job")
        self.browser.read(selector="main", text="cancelled")
        self.assertEqual(self.network.job(job)["state"], "cancelled")

    def test_a_restore_that_was_rightly_refused_is_no_alert(self):
        """Staff read what broke a job in their language, by words and not by English phrases."""
        grant = self.person.consent(self.stored)
        self.at_site("consent", "withdraw", grant)
        out = self.network.root / "refused"
        self.assert_fails(4, r"withdrawn\)", self.network.restore, self.stored, grant, out)
        job = self.at_site("job", "list")["jobs"][0]
        self.assertEqual((job["kind"], job["state"], job["error_code"], job["error_reason"],
                          job["refused"]), ("restore", "failed", "refused", "withdrawn", True))
        self.assertNotIn("(withdrawn)", job["error"])
        self.log_in(language="ja")
        self.browser.visit(path="/app/jobs")
        self.browser.read(selector="main", text="本人がこの同意を撤回しました。")
        self.browser.read(selector="main .badge-plain", text="拒否")
        self.browser.shot("jobs-refused-ja")
        self.browser.visit(path="/app/")
        self.browser.see(selector=".tiles")
        self.assertNotIn("ジョブが失敗しました", self.browser.text(selector="main"))

    def test_what_happens_is_seen_without_a_reload(self):
        self.log_in()
        self.browser.click(role="link", name="Network")
        self.browser.see(selector=".map .site-up")
        self.browser.evaluate(script="window.stayed = true")
        self.browser.choose(label="Object", value=self.stored)
        self.browser.see(selector=".map .site-holds")
        self.browser.shot("network-placement")
        self.network.kill("cloud1")
        self.browser.see(selector=".map .site-silent", limit=60_000)
        self.browser.read(text="Site does not answer: cloud1")
        self.browser.read(text="its machine, its program or the line to it is down")
        inspect(self, self.browser, "network-silent", looks=DIALOG)
        self.browser.shot("network-site-lost")
        self.network.up()
        self.browser.see(selector=".map .site-silent", gone=True, limit=30_000)
        random_file(self.network.root / "second", 500_000, seed=8)
        self.person.store(self.network.root / "second")
        self.browser.click(role="link", name="Jobs")
        wait_until(lambda: self.browser.text(selector="main").count("done") >= 2, 15, "two jobs")
        self.assertTrue(self.browser.evaluate(script="window.stayed"))
        self.assertEqual(self.at_site("web", "status")["followers"], 1)

    def test_a_site_that_comes_back_is_followed_again(self):
        self.log_in()
        self.browser.read(text="Live")
        self.network.kill("tommo")
        self.browser.read(text="Connection lost")
        self.browser.shot("connection-lost")
        self.network.up()
        # All sessions ended with the process: the page asks to log in.
        self.browser.see(role="heading", name="Log in")
        self.browser.fill(selector="input.code", value=self.code())
        self.browser.press(key="Enter")
        self.browser.read(text="Live")
        self.browser.troubles()


class WebOverTls(NetworkTest):
    """Operators at their own machines: the certificate says who they are, roles decide the rest."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M", start=False))
        cls.certs = cls.network.root / "certs"
        cls.url = f"https://127.0.0.1:{free_port()}/"
        prints = {name: cls.make_cert(name) for name in ("mori", "kagi", "stranger")}
        cls.make_cert("tommo", "--server", "--host", "127.0.0.1")
        address = cls.url.removeprefix("https://").rstrip("/")
        config = cls.network.site("tommo") / "site.toml"
        text = (f'\n[operators]\nlisten = "{address}"\ncertificate = "{cls.certs}/tommo.pem"\n'
                f'key = "{cls.certs}/tommo.key"\nca = "{cls.certs}/ca.pem"\n')
        for name, role in (("mori", "auditor"), ("kagi", "key_operator")):
            text += (f'[[operators.accounts]]\nname = "{name}"\nroles = ["{role}"]\n'
                     f'certificates = ["{prints[name]}"]\n')
        config.write_text(config.read_text() + text)
        cls.network.up()
        cls.browser = cls.enterClassContext(Browser())

    @classmethod
    def make_cert(cls, name, *options):
        return cls.network.warifu.ask("operator", "make-cert", name, "--authority",
                                      cls.network.root / "authority", "--out", cls.certs,
                                      *options)["fingerprint"]

    def open_as(self, name):
        return self.browser.open(url=self.url, certificate={
            "cert": str(self.certs / f"{name}.pem"), "key": str(self.certs / f"{name}.key")})

    def test_roles_decide_what_is_offered_and_what_is_answered(self):
        self.open_as("mori")
        self.browser.read(text="Live")
        self.assertIn("Log and proofs", self.browser.text(selector="nav"))
        self.assertIn("its secrecy is computational", self.browser.text(selector=".honesty"))
        self.assertNotIn("Single-operator", self.browser.text(selector=".honesty"))
        self.browser.click(role="link", name="Session")
        self.browser.read(text="TLS with your certificate")
        self.browser.click(role="link", name="Log and proofs")
        self.browser.see(role="heading", name="Search the log")
        self.assertEqual(self.browser.troubles(), [])
        self.open_as("kagi")
        self.browser.read(text="Live")
        navigation = self.browser.text(selector="nav")
        self.assertIn("Network", navigation)
        self.assertNotIn("Log and proofs", navigation)
        self.assertNotIn("Jobs", navigation)
        self.browser.visit(path="/app/log")
        self.browser.see(role="heading", name="Not for your role")
        status = self.browser.evaluate(
            script='fetch("/v1/log/search").then((answer) => answer.status)')
        self.assertEqual(status, 403)
        told = self.browser.evaluate(script="""new Promise(async (done) => {
            const answer = await fetch("/v1/events");
            const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
            let text = "";
            while (!text.includes("event: alerts")) text += (await reader.read()).value;
            text += (await reader.read()).value;
            reader.cancel();
            done(text);
        })""")
        self.assertNotIn("event: jobs", told)

    def test_a_stranger_sees_nothing(self):
        self.assertEqual(self.open_as("stranger")["status"], 403)


if __name__ == "__main__":
    unittest.main()
