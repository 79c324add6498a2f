"""A site with thousands of shares: none of them is taken for lost, and it is asked in good time."""

import time
import unittest

from many_shares import copy_share
from network import NetworkTest, Person, TestNetwork, random_file

SIZE = 2_000
MANY = 4_500


class ManyShares(NetworkTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(link=("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)

    def ask(self, *words, site="tommo"):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def test_a_share_among_thousands_is_there_until_it_is_lost(self):
        object_id = self.person.store(self.network.root / "genome")["object"]
        _, path = self.network.share_path(object_id, "B")
        copies = copy_share(path, MANY)
        self.assertEqual(self.ask("site", "shares", site="lsa")["problems"], [])
        # All of them, page by page, each once.
        status = self.ask("site", "shares", site="lsa")
        self.assertEqual(status["share_count"], MANY + 1)
        ids = [share["id"] for share in status["shares"]]
        self.assertEqual(ids, sorted({file.stem for file in copies} | {path.stem}))
        self.assertEqual(status["share_bytes"], sum(share["bytes"] for share in status["shares"]))
        # The share itself comes behind all of them.
        self.assertTrue(self.ask("object", "check", object_id)["whole"])
        self.assertEqual(self.ask("site", "repair", "lsa")["jobs"], [])
        began = time.monotonic()
        for _ in range(10):
            self.network.site_status("lsa")
        self.assertLess(time.monotonic() - began, 20)
        # And one that is lost is found, and made again.
        path.unlink()
        self.assertEqual(self.ask("site", "shares", site="lsa")["share_count"], MANY)
        [job] = self.ask("site", "repair", "lsa")["jobs"]
        self.assertEqual((job["object"], job["share"]), (object_id, "B"))
        self.assertTrue(self.ask("object", "check", object_id)["whole"])
        out = self.network.root / "restored"
        self.network.restore(object_id, self.person.consent(object_id), out, using="A,B")
        self.assert_same_bytes(out, self.plain)


if __name__ == "__main__":
    unittest.main()
