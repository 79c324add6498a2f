"""What the tests of cards and consents have in common."""

import unittest

from network import NetworkTest, binary, wait_until

from virtual_reader import NoReader, VirtualReader

SITES = ["tommo", "lsa", "tuh", "cloud1", "cloud2", "cloud3"]


def reader_or_skip(enter):
    """A virtual reader until `enter` (enterContext or enterClassContext) ends it; where none can be
    had the test is skipped and says why."""
    try:
        return enter(VirtualReader(binary()))
    except NoReader as reason:
        raise unittest.SkipTest(str(reason)) from None


class CardTest(NetworkTest):
    """A network whose sites are asked in words; records of cards are in safekeeping."""

    def ask(self, *arguments, site="tommo"):
        return self.network.warifu.ask(*arguments, "--site", self.network.site(site))

    def wait_until_kept(self):
        wait_until(lambda: self.ask("card", "status")["not_kept"] == 0, 60,
                   "all card records to be in safekeeping")

    def restored(self, plain, stored, grant, **settings):
        out = self.network.root / "cards.out"
        out.unlink(missing_ok=True)
        done = self.network.restore(stored, grant, out, **settings)
        self.assert_same_bytes(out, plain)
        out.unlink()
        return done

    def assert_no_restore(self, stored, grant, pattern, **settings):
        out = self.network.root / "cards.refused"
        message = self.assert_fails(4, pattern, self.network.restore, stored, grant, out, **settings)
        self.assertFalse(out.exists())
        return message

    def events(self, site, event):
        records = self.ask("audit", "list", site=site)["records"]
        return [record for record in records if record["event"] == event]
