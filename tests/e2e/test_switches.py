"""What an operator switches while sites run: what becomes shares on a link, whether shares travel
over it, applications, and where random numbers come from. Nothing is lost or sent twice by it."""

import threading

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SMALL, LONG = 200_000, 32_000_000  # a pool overfills by at most one batch: ~20 MB
OWN = {"B", "C1"}  # shares that are key of a link, by the configuration: one of each cut


class Switches(NetworkTest):
    """One network; what a test switched is put back after it."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="64M", high_water="12M", kms=True))
        cls.person = Person(cls.network)
        cls.root = cls.network.root
        cls.plain = {"small": random_file(cls.root / "small", SMALL, 1),
                     "long": random_file(cls.root / "long", LONG, 2)}

    def tearDown(self):
        super().tearDown()
        for site in ("tommo", "lsa", "tuh"):
            for what, name, use in self.switched(site):
                if what == "link":
                    self.switch(site, name, use, "default" if use == "sharing" else "on")
                elif what == "random":
                    self.random_use(name, "default")
                else:
                    self.sae("resume", name)

    def sae(self, verb, *arguments):
        return self.network.warifu.ask("sae", verb, *arguments, "--site",
                                       self.network.site("tommo"))

    def keys_use(self, site, *arguments):
        return self.network.warifu.ask("keys", "use", *arguments, "--site",
                                       self.network.site(site))

    def switch(self, site, peer, use, value):
        return self.keys_use(site, "--link", peer, "--for", use, value)

    def random_use(self, use, value):
        return self.network.warifu.ask("random", "use", "--for", use, value, "--site",
                                       self.network.site("tommo"))

    def switched(self, site):
        return {(entry["what"], entry["name"], entry["for"]): entry["value"]
                for entry in self.keys_use(site)["switches"]}

    def audit(self, site):
        return self.network.warifu.ask("site", "audit", "--site", self.network.site(site))["last"]

    def store(self, name):
        """The object's id, and the shares that are key of a link."""
        wait_until(lambda: all(link["residual_bytes"] > SMALL * 2
                               for link in self.network.link_status("tommo")), 60,
                   "key of tommo's links")
        object_id = self.person.store(self.root / name)["object"]
        return object_id, self.drawn(object_id)

    def shares_of(self, peer):
        """Key of tommo's link to a site that has become shares."""
        return next(link for link in self.network.link_status("tommo")
                    if link["peer"] == peer)["send"]["share_bytes"]

    def drawn(self, object_id):
        return {share["share"] for share in self.network.explain(object_id)["shares"]
                if share["key_as_share"]}

    def restore(self, object_id, name="small", **settings):
        out = self.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(object_id, self.person.consent(object_id), out, **settings)
        self.assert_same_bytes(out, self.plain[name])
        return done

    # --- what becomes shares ---

    def test_sharing_of_a_link(self):
        first, drawn = self.store("small")
        self.assertEqual(drawn, OWN)
        self.switch("tommo", "lsa", "sharing", "random")
        self.network.kill("tommo")  # right after the answer
        self.network.up("tommo")
        self.assertEqual(self.switched("tommo"), {("link", "lsa", "sharing"): "random"})
        second, drawn = self.store("small")
        self.assertEqual(drawn, {"C", "C1"})  # the next link that may gives the one that is free
        share = next(share for share in self.network.explain(second)["shares"]
                     if share["share"] == "B")
        self.assertEqual(share["link_classes"], ["qkd"])
        self.switch("tuh", "cloud1", "sharing", "random")
        third, drawn = self.store("small")
        self.assertEqual(drawn, {"C", "C2"})
        self.switch("tuh", "cloud1", "sharing", "default")
        self.switch("tommo", "lsa", "sharing", "default")
        self.assertEqual(self.store("small")[1], OWN)
        for object_id in (first, second, third):
            self.assertEqual(self.restore(object_id, using="A,B")["using"], ["A", "B"])
        self.assertEqual(self.switched("tommo"), {})
        told = [(entry["fields"]["what"], entry["fields"]["name"], entry["fields"]["value"])
                for entry in self.audit("tuh") if entry["event"] == "switched"]
        self.assertEqual(told[-2:], [("sharing", "cloud1", "random"),
                                     ("sharing", "cloud1", "default")])

    def test_a_store_that_runs_goes_on_as_it_began(self):
        devices = ("tommo-lsa-tommo", "tommo-lsa-lsa")
        wait_until(lambda: self.network.link_status("tommo")[0]["residual_bytes"] > 10_000_000, 60,
                   "key of the link to lsa")
        self.network.down(*devices)
        try:
            before = self.shares_of("lsa")
            job = self.person.store(self.root / "long", no_wait=True)
            wait_until(lambda: self.shares_of("lsa") > before + SMALL, 60, "some of share B")
            self.network.wait_for_job(job["job"], states=("waiting_key",))
            self.switch("tommo", "lsa", "sharing", "random")
            self.switch("tommo", "lsa", "transport", "off")
            self.network.kill("tommo")
        finally:
            self.network.up(*devices)
            self.network.up("tommo")
        self.network.wait_for_job(job["job"])
        self.assertIn("B", self.drawn(job["object"]))
        self.network.warifu.ask("object", "card-record", job["object"], "--site",
                                self.network.site("tommo"), "--card", self.person.card,
                                "--pin-file", self.person.pin_file)
        self.restore(job["object"], "long", using="A,B")

    # --- whether shares travel ---

    def test_transport_of_a_link(self):
        object_id, _ = self.store("small")
        self.switch("tommo", "lsa", "transport", "off")
        link = next(link for link in self.network.link_status("tommo") if link["peer"] == "lsa")
        self.assertEqual(link["switches"]["transport"]["value"], "off")
        why = "transport is switched off from tommo to lsa"
        self.assert_fails(4, why, self.network.plan, size="1M", why=True)
        self.assert_fails(4, why, self.person.store, self.root / "small")
        # The other direction is lsa's, and still there.
        self.restore(object_id, using="A,B")
        self.switch("lsa", "tommo", "transport", "off")
        done = self.restore(object_id)  # around it
        self.assertEqual(done["using"][0], "A")
        self.assertNotIn("B", done["using"])
        self.assert_fails(4, "switched off from tommo to lsa, from lsa to tommo", self.restore,
                          object_id, using="A,B")
        self.switch("tommo", "lsa", "transport", "on")
        plan = self.network.plan(size="1M", why=True)
        self.assertIn("transport is switched off from lsa to tommo", plan["reasons"])
        self.switch("lsa", "tommo", "transport", "on")
        self.restore(self.store("small")[0], using="A,B")

    # --- applications ---

    def test_applications_of_a_link_have_one_switch_with_two_names(self):
        self.switch("tommo", "tuh", "applications", "off")
        self.assertEqual(self.sae("status")["paused_links"], ["tuh"])
        self.sae("resume", "--link", "tuh")
        self.assertEqual(self.switched("tommo"), {})
        self.sae("pause", "SAE-tommo-1")
        self.assertEqual(self.switched("tommo"), {("sae", "SAE-tommo-1", ""): "off"})

    # --- random numbers ---

    def test_random_numbers_for_sharing(self):
        for peer in ("lsa", "tuh"):  # else a cut at tommo needs no random numbers
            self.switch("tommo", peer, "sharing", "random")
        self.random_use("sharing", "pool")
        started = self.person.store(self.root / "small", no_wait=True)
        told = self.network.wait_for_job(started["job"], states=("waiting_key",))
        self.assertIn("random pool holds 0 bytes", told["error"])
        status = self.network.warifu.ask("random", "status", "--site", self.network.site("tommo"))
        self.assertEqual((status["source"], status["for_sharing"], status["for_applications"]),
                         ("pool-or-kernel", "pool", "pool-or-kernel"))
        self.random_use("sharing", "kernel")
        self.network.wait_for_job(started["job"])
        shares = {share["share"]: share
                  for share in self.network.explain(started["object"])["shares"]}
        self.assertEqual(shares["A"]["random_origins"], ["KERNEL_GENERATOR"])

    # --- what is refused ---

    def test_wrong_orders_change_nothing(self):
        for code, pattern, arguments in (
                (3, "no link to cloud1", ("--link", "cloud1", "--for", "transport", "off")),
                (2, '"on", "off"', ("--link", "lsa", "--for", "transport", "random")),
                (2, '"key", "random", "default"', ("--link", "lsa", "--for", "sharing", "off")),
                (2, "say --link", ("--link", "lsa")),
                (2, "say --link", ("--for", "sharing", "key"))):
            with self.subTest(arguments=arguments):
                self.assert_fails(code, pattern, self.keys_use, "tommo", *arguments)
        self.assert_fails(2, '"kernel"', self.random_use, "sharing", "dice")
        self.assert_fails(2, "say --for", self.network.warifu.ask, "random", "use", "pool",
                          "--site", self.network.site("tommo"))
        self.assertEqual(self.switched("tommo"), {})

    def test_switches_at_the_same_time_are_all_kept(self):
        orders = [(peer, use) for peer in ("lsa", "tuh") for use in ("transport", "applications")]
        for value, left in (("off", len(orders)), ("on", 0)):
            threads = [threading.Thread(target=self.switch, args=("tommo", *order, value))
                       for order in orders]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(self.switched("tommo")), left)
