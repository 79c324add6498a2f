"""The reference scenario, step by step, and what each step must show.

Six sites: ToMMo (biobank), LSA (analysis centre), TUH (hospital) and three clouds. Each step runs
the program as a person would, looks at the result from outside (who holds what, what both ends of
every link say they spent), and fails unless everything is as it has to be.
"""

import dataclasses
import pathlib
import time

import accounts
import crams
import uniformity
from report import StepFailed, human_bits, human_bytes, human_seconds
from warifu_cli import CLOUDS, SITES, CommandFailed, Exit

MIB = 1 << 20
PERSON, PERSON_NAME = "P-001", "Hanako Tohoku"
GRANTEE = "Dr. Sato, ToMMo"
NO_GRANT = "0" * 32

# Of the restores that are played, two fetch C from the clouds: step 7, and the one without LSA. The
# planner takes the links that have the most key left, so no direction carries the file twice.
CARRIED_AT_MOST = 1
QKD_RATE = "400Mbit/s"
BOOTSTRAP_BYTES = 4 * MIB
QKD_POOL_BYTES = 256 * MIB  # a pool of a qkd link is filled up to here
PRESHARED_LINKS, QKD_LINKS = 6, 2


def preshare_bytes(file_bytes):
    """Random bytes per preshared link and direction: what it carries and half a file to spare."""
    return (2 * CARRIED_AT_MOST + 1) * file_bytes // 2 + 8 * MIB


def needed_space(file_bytes):
    """Bytes on disk while the demonstration runs."""
    preshared = PRESHARED_LINKS * 2 * 2 * preshare_bytes(file_bytes)
    transfer = 2 * 4 * preshare_bytes(file_bytes)  # the couriers' files of two links at once
    qkd = QKD_LINKS * 2 * 2 * (QKD_POOL_BYTES + BOOTSTRAP_BYTES)
    shares = 10 * file_bytes  # A, B, C, C1-C3, the staged file, restored files
    return preshared + transfer + qkd + shares


@dataclasses.dataclass
class Input:
    path: pathlib.Path
    bytes: int
    sha256: str
    reference: pathlib.Path | None = None  # of a CRAM
    reads: int | None = None


class Scenario:
    """Plays on a network that is up. `work` is a folder for the card and restored files; with a
    `reader` the card lies on that one while it is needed. `card_type`: one-time or desfire."""

    def __init__(self, network, given, work, screen, record, reader=None, card_type="one-time"):
        self.network, self.given, self.work = network, given, work
        self.screen, self.record, self.reader = screen, record, reader
        self.card_file, self.pin_file = work / "card.bin", work / "pin.txt"
        self.card = self.card_file if reader is None else "pcsc"
        self.card_type = card_type
        if self.is_desfire:
            self.pin_file = None  # it knows no PIN
        self.restored = work / "restored.cram"
        self.object = None
        self.grant = None
        self.stored_bytes = given.bytes  # with its lead
        self.share_sites = {}
        self.ledger = self.first_ledger = None
        self.stopped = set()  # sites that were switched off once

    @property
    def is_desfire(self):
        return self.card_type == "desfire"

    def play(self):
        steps = (("The person is enrolled", self.enrol),
                 ("The file is cut into three shares", self.split),
                 ("Share control chooses the sites", self.choose),
                 ("TUH cuts share C again for three clouds", self.share_again),
                 ("Person, object, shares and sites are bound", self.bind),
                 ("The person presents the card and consents", self.give_consent),
                 ("The shares come back", self.bring_back),
                 ("The file is checked and usable", self.check_file))
        extra = (("The same consent cannot be used again", self.refuse_used_consent),
                 ("A and B restore as well", self.restore_a_b),
                 ("LSA is gone, and the file is still there", self.restore_without_lsa),
                 ("LSA comes back", self.bring_lsa_back))
        self.ledger = self.first_ledger = accounts.read_settled(self.network, SITES)
        for number, (name, play) in enumerate(steps, 1):
            self.run("steps", f"Step {number} of 8: {name}", {"n": number, "name": name}, play)
        for name, play in extra:
            self.run("extra", f"And also: {name}", {"name": name}, play)

    def run(self, kind, heading, entry, play):
        self.screen.heading(heading)
        started = time.monotonic()
        entry |= {"ok": False, "seconds": 0, "evidence": {}}
        self.record.add(kind, entry)
        try:
            play(entry["evidence"])
            entry["ok"] = True
        finally:
            entry["seconds"] = round(time.monotonic() - started, 3)
        self.screen.pause()

    # --- helpers ---

    def check(self, holds, text):
        """A verdict on the screen; a failed one ends the scenario."""
        self.screen.verdict(holds, text)
        if not holds:
            raise StepFailed(text)

    def spent(self):
        """Key bits by direction since the last call, on the screen and as evidence."""
        before, now = self.ledger, accounts.read_settled(self.network, SITES, self.stopped)
        used = accounts.spent(before, now)
        moved = accounts.spent(before, now, "moved_bytes")
        other = {ends: accounts.besides(self.network, ends, before, now) for ends in moved
                 if ends[0] not in self.stopped}
        self.ledger = {**before, **now}
        for ends, number in sorted(used.items()):
            if ends in moved:  # control messages are in the account, but not news
                copies = (f" and copies of the catalog (at most {human_bits(8 * other[ends])})"
                          if other.get(ends) else "")
                self.screen.fact(f"key spent {' > '.join(ends)} ({now[ends].link_class})",
                                 f"{human_bits(8 * number)} for {human_bits(8 * moved[ends])} of a "
                                 f"share{copies}")
        return [{"from": ends[0], "to": ends[1], "class": now[ends].link_class,
                 "key_bits": 8 * number, "share_bits": 8 * moved.get(ends, 0),
                 "other_bits": 8 * other.get(ends, 0)}
                for ends, number in sorted(used.items())]

    def carried_one_share(self, used, hops, size):
        """Whether these hops carried one share of so many bytes each, and no hop anything else."""
        return accounts.carried_exactly(used, dict.fromkeys(hops, 8 * accounts.records_bytes(size)))

    def holdings(self, evidence):
        """Who holds which share, from every site itself."""
        sites = self.network.status()["sites"]
        held = {site["name"]: sorted(share["letter"] for share in site.get("shares") or []
                                     if share["object"] == self.object) for site in sites}
        evidence["holdings"] = held
        self.screen.fact("who holds what", "; ".join(
            f"{name} {' '.join(letters) or 'nothing'}" for name, letters in held.items()))
        return held

    def consent(self, ask=False):
        return self.network.consent(self.object, self.card, self.pin_file, purpose="health",
                                    grantee=GRANTEE, uses=1, valid="1h", ask=ask)

    def ask_person(self):
        """A consent that the person gives at this terminal, or, headless, has given elsewhere."""
        while True:
            try:
                return self.consent(ask=self.screen.interactive)
            except CommandFailed as failure:
                if failure.code != Exit.CANCELLED:
                    raise
            self.screen.say("Then nothing happens: without the person's consent the shares stay "
                            "where they are. The scenario needs a yes to go on.")

    def restore(self, evidence, **settings):
        """A restore with a consent of its own; checks the bytes."""
        out = self.work / "again.cram"
        given = self.consent()
        done = self.network.restore(self.object, given["grant"], out, asker=GRANTEE,
                                    timeout=3600, **settings)
        evidence |= {"using": done["using"], "gathered_at": done["gathered_at"],
                     "routes": done["routes"], "restore_seconds": done["seconds"]}
        self.screen.fact("shares used", ", ".join(
            f"{share} from {self.share_sites[share]}" for share in done["using"]))
        evidence["sha256"] = crams.sha256(out)
        out.unlink()
        self.check(done["verified"] and evidence["sha256"] == self.given.sha256,
                   f"restored in {human_seconds(done['seconds'])}, the same file to the last bit")
        return done

    def refused(self, evidence, grant, what, codes=(Exit.REFUSED,)):
        out = self.work / "refused.cram"
        try:
            self.network.restore(self.object, grant, out, asker=GRANTEE)
        except CommandFailed as failure:
            evidence |= {"exit_code": failure.code, "message": failure.message}
            self.screen.quote(failure.message)
            self.check(failure.code in codes and not out.exists(),
                       f"{what}: refused (exit code {failure.code}), and nothing is written")
        else:
            raise StepFailed(f"{what}: the restore was not refused")

    # --- the eight steps ---

    def enrol(self, evidence):
        self.screen.say("A person comes to ToMMo and gets a card. Every site that may hold shares " + (
            "makes an application of its own on it, with a key that never leaves the site, so that "
            "later each site can speak to the card by itself." if self.is_desfire else
            "draws one-time keys of its own and loads them on the card, so that later each site can "
            "check the card by itself."))
        if self.pin_file:
            self.pin_file.write_text("2718\n")
            self.pin_file.chmod(0o600)
        if self.reader:
            self.reader.lay(self.card_file, card_type=self.card_type)
            self.screen.fact("reader", "the virtual one of vsmartcard, through pcscd")
        person = self.network.enrol(PERSON, PERSON_NAME, self.card, self.pin_file,
                                    card_type=self.card_type)
        evidence |= {name: person[name] for name in
                     ("person", "card_id", "card", "card_type", "keys_per_site", "sites")
                     if name in person}
        evidence["input_bytes"] = self.given.bytes
        self.screen.fact("card", f"{person['card_id']} ({person['card']}: a file stands in for the "
                                 "chip and behaves like it, command by command)")
        if self.is_desfire:
            self.screen.fact("type", "ISO/IEC 14443 type A, MIFARE DESFire (AES); one application for "
                                     f"each of {', '.join(person['sites'])}")
        else:
            self.screen.fact("one-time keys", f"{person['keys_per_site']} per site, for "
                                              f"{', '.join(person['sites'])}")
        self.screen.fact("genome file", f"{self.given.path.name}, {human_bytes(self.given.bytes)}"
                         + (f", {self.given.reads} reads" if self.given.reads else ""))
        self.check(set(person["sites"]) >= set(SITES), "every site knows the card")

    def split(self, evidence):
        self.screen.say("ToMMo takes the file in and cuts it, chunk by chunk, into three shares: "
                        "any two give the file back, any one is pure chance.")
        stored = self.network.store(self.given.path, PERSON, card=self.card,
                                    pin_file=self.pin_file, label="whole genome", timeout=7200)
        self.object = stored["object"]
        evidence |= {name: stored[name] for name in
                     ("object", "job", "bytes", "chunks", "seconds", "placement", "plan",
                      "card_record")}
        # A genome with an index is stored with it: the lead, some chunks before the file.
        lead = stored["lead_chunks"] * accounts.CHUNK_BYTES
        self.stored_bytes = self.given.bytes + lead
        share_bytes = accounts.records_bytes(self.stored_bytes)
        evidence |= {"share_bytes": share_bytes, "lead_bytes": lead}
        self.screen.fact("stored", f"{human_bytes(stored['bytes'])} in {stored['chunks']} chunks, "
                                   f"{human_seconds(stored['seconds'])} until every share was safe")
        if lead:
            self.screen.fact("the file's index", f"{human_bytes(lead)} before it, cut as it is: with it "
                                                 "a consent to one gene costs the key of one gene")
        self.screen.fact("each share", f"{human_bytes(share_bytes)}: as long as what is stored, and "
                         f"{share_bytes - self.stored_bytes} bytes of tags")
        self.check(stored["bytes"] == self.stored_bytes, "all of the file is stored")
        self.check_uniform(evidence)

    def check_uniform(self, evidence):
        """Byte statistics of every share where it rests; of the file for comparison."""
        values = {}
        for site in self.network.status()["sites"]:
            for share in site.get("shares") or []:
                path = uniformity.share_file(self.network.site(site["name"]), share["id"])
                if path and share["object"] == self.object:
                    values[share["letter"]] = round(
                        uniformity.chi_squared(uniformity.records(path, MIB)), 1)
        evidence["chi_squared"] = values
        if not values:
            raise StepFailed("no share file was found in the folders of the sites")
        self.screen.fact("byte statistics of the shares (pure chance: 255, at most "
                         f"{uniformity.LIMIT:.0f})",
                         ", ".join(f"{name} {value}" for name, value in sorted(values.items())))
        if self.given.bytes >= MIB:
            self.check(max(values.values()) < uniformity.LIMIT,
                       "every share looks like pure chance")

    def choose(self, evidence):
        stored = self.record.data["steps"][1]["evidence"]
        self.screen.say("The sites were chosen from the residual key of every link. B and C "
                        "travelled under one-time pad with QKD key; each key was used once and "
                        "destroyed.")
        for reason in stored["plan"]["reasons"]:
            self.screen.fact("why", reason)
        for entry in stored["placement"]:
            route = entry["route"]
            self.screen.fact(f"share {entry['share']}", entry["site"] + ", way: "
                             + (" > ".join(route) if isinstance(route, list) else str(route)))
        used = self.spent()
        evidence |= {"placement": stored["placement"], "plan": stored["plan"], "key_spent": used}
        self.check(self.carried_one_share([u for u in used if u["class"] == "qkd"],
                                          [("tommo", "lsa"), ("tommo", "tuh")],
                                          self.stored_bytes),
                   "B and C: one fresh key bit for every bit of the share, and for its tags")

    def share_again(self, evidence):
        self.screen.say("TUH cut share C into C1, C2 and C3, sent one to each cloud under one-time "
                        "pad with pre-shared random numbers, and deleted C.")
        held = self.holdings(evidence)
        used = self.record.data["steps"][2]["evidence"]["key_spent"]
        evidence["key_spent"] = [u for u in used if u["class"] == "preshared"]
        self.check(held["tommo"] == ["A"] and held["lsa"] == ["B"], "A is at ToMMo, B at LSA")
        self.check(sorted(letter for cloud in CLOUDS for letter in held[cloud]) ==
                   ["C1", "C2", "C3"] and all(len(held[cloud]) == 1 for cloud in CLOUDS),
                   "each cloud holds one of C1, C2, C3")
        self.check(held["tuh"] == [], "TUH holds nothing any more")
        self.check(self.carried_one_share(evidence["key_spent"],
                                          [("tuh", cloud) for cloud in CLOUDS], self.stored_bytes),
                   "C1 to C3: one fresh random bit for every bit of the share, and for its tags")

    def bind(self, evidence):
        self.screen.say("Share control knows now which shares of which object of which person are "
                        "where. The key of the file's hash went on the card" + (
                            ", where only share control's key reads it" if self.is_desfire else "") +
                        "; no site can check the "
                        "file, or make a false one, without it.")
        told = self.network.explain(self.object)
        evidence |= {"person": told["person"], "object": told["object"], "shares": told["shares"],
                     "staging": told["staging"], "simulated": told["simulated"],
                     "computational": told["computational"]}
        self.share_sites = {share["share"]: share["site"] for share in told["shares"]
                            if share["share"] != "C"}
        self.screen.fact("person", f"{told['person']}, object {told['object']}")
        self.screen.fact("shares", ", ".join(f"{share} at {site}" for share, site
                                             in sorted(self.share_sites.items())))
        for text in told["simulated"]:
            self.screen.fact("simulated here", text)
        for text in told["computational"]:
            self.screen.fact("computational, not for ever", text)
        self.check(told["person"] == PERSON and set(self.share_sites) ==
                   {"A", "B", "C1", "C2", "C3"}, "person, object, five shares and their sites")
        card_record = self.record.data["steps"][1]["evidence"]["card_record"]
        self.check(card_record == "on_card", "the authentication data is on the card")
        self.check(told["staging"] == "erased", "the file itself is erased at ToMMo")

    def give_consent(self, evidence):
        self.screen.say("Without the person nobody restores, not even the hospital. First somebody "
                        "tries it without a consent:")
        without = {}
        self.refused(without, NO_GRANT, "without consent", (Exit.REFUSED, Exit.NOT_FOUND))
        evidence["without_consent"] = without
        self.screen.say("Now the person reads what is asked and puts the card on the reader: it knows "
                        "no PIN, so possession is all that it proves of its holder."
                        if self.is_desfire else
                        "Now the person puts the card on the reader, reads what is asked, and "
                        "enters the PIN.")
        if self.reader:
            self.reader.lift()
        self.screen.pause("The person presents the card: press Enter")
        if self.reader:
            self.reader.lay(self.card_file)
        touched = time.monotonic()
        given = self.ask_person()
        seconds = round(time.monotonic() - touched, 3)
        self.grant = given["grant"]
        evidence |= {name: given[name] for name in ("grant", "sites", "index", "expires", "text",
                                                    "card_kind", "holder_verification")}
        if not self.screen.interactive:
            self.screen.quote(given["text"])
            evidence["seconds_from_card_to_grant"] = seconds
            self.screen.fact("from card to proved grant", f"{seconds:.2f} s")
        self.screen.fact("proved by", f"{given['card_kind']}, holder by {given['holder_verification']}")
        self.screen.fact("grant", f"{given['grant']}, one-time index {given['index']} of the card, "
                                  f"until {given['expires']}")
        self.check(set(given["sites"]) >= set(SITES) - {"tuh"},
                   "one proof for each site that holds a share")

    def bring_back(self, evidence):
        site_of = self.share_sites
        self.screen.say(f"Each site checks the card's proof itself. C1 and C2 meet at "
                        f"{site_of['C2']} and give C; C goes to TUH under one-time pad, and from "
                        "there to ToMMo under QKD one-time pad.")
        done = self.network.restore(self.object, self.grant, self.restored,
                                    asker=GRANTEE, timeout=3600,
                                    using="A,C1,C2", gather=site_of["C2"])
        evidence |= {name: done[name] for name in
                     ("job", "using", "gathered_at", "routes", "bytes", "verified", "blamed")}
        evidence["restore_seconds"] = done["seconds"]
        for route in done["routes"]:
            self.screen.fact("way", " > ".join(route) if isinstance(route, list) else str(route))
        evidence["key_spent"] = self.spent()
        hops = ((site_of["C1"], site_of["C2"]), (site_of["C2"], "tuh"), ("tuh", "tommo"))
        self.check(done["using"] == ["A", "C1", "C2"] and site_of["C2"] in done["gathered_at"],
                   f"A, C1 and C2 were used; C was combined at {site_of['C2']}")
        self.check(self.carried_one_share(evidence["key_spent"], hops, self.stored_bytes),
                   "every hop under one-time pad: " + ", ".join(" > ".join(hop) for hop in hops)
                   + "; B stayed at LSA: it is the backup")

    def check_file(self, evidence):
        self.screen.say("ToMMo combined A and C chunk by chunk; every chunk was checked with the "
                        "key on the card before a byte of it was written.")
        evidence["verified"] = self.record.data["steps"][6]["evidence"]["verified"]
        evidence["sha256"] = crams.sha256(self.restored)
        evidence["blamed"] = self.record.data["steps"][6]["evidence"]["blamed"]
        self.check(evidence["verified"] and not evidence["blamed"],
                   "every chunk's tag is right, no site is blamed")
        self.check(evidence["sha256"] == self.given.sha256,
                   f"SHA-256 as before: {evidence['sha256']}")
        if self.given.reference:
            evidence["quickcheck"] = crams.quickcheck(self.restored)
            self.check(evidence["quickcheck"], "samtools quickcheck: whole")
            evidence["reads"] = crams.count_reads(self.restored, self.given.reference)
            self.check(evidence["reads"] == self.given.reads,
                       f"samtools view -c: {evidence['reads']} reads, as before")
        self.restored.unlink()

    # --- further evidence ---

    def refuse_used_consent(self, evidence):
        self.screen.say("The consent was for one use. Somebody tries it again:")
        self.refused(evidence, self.grant, "a consent that is used up")

    def restore_a_b(self, evidence):
        self.screen.say("Any two of A, B, C restore. With a new consent, A and B:")
        done = self.restore(evidence, using="A,B")
        evidence["key_spent"] = self.spent()
        self.check(done["using"] == ["A", "B"], "only A and B were used")

    def restore_without_lsa(self, evidence):
        self.screen.say("LSA is switched off, as if it had burned down.")
        self.stopped.add("lsa")
        self.network.down("lsa")
        done = self.restore(evidence)
        evidence["skipped"] = done["skipped"]
        for entry in done["skipped"]:
            self.screen.fact("left out", f"{entry['site']}: {entry['why']}")
        self.check("B" not in done["using"] and not self.network.site_status("lsa")["running"],
                   "restored without LSA, from " + ", ".join(done["using"]))

    def bring_lsa_back(self, evidence):
        self.network.up("lsa")
        back = self.network.site_status("lsa")
        evidence |= {"running": back["running"], "reachable": back["reachable"]}
        self.check(back["running"] and back["reachable"], "LSA runs again and answers")
        evidence["key_spent"] = self.spent()
        held = self.holdings(evidence)
        self.check(held["lsa"] == ["B"], "LSA still has share B")

    def show_pages(self, pages, evidence):
        self.screen.say("What happens here is shown in a browser too, as it happens: the network and "
                        "its key, jobs, requests, the log; and, at a kiosk, what is asked of the "
                        "person.")
        alive = pages.check(evidence)
        self.screen.fact("pages of the control site", evidence["url"])
        self.screen.fact("kiosk", f"{evidence['kiosk']}, with the person's card on its reader")
        self.check(alive, f"logged in with a code; {evidence['jobs']} jobs, live figures "
                          f"('{evidence['first_event']}'), and the kiosk answers")

    def close_accounts(self):
        """The account of the whole run: both ends of every link, to the byte."""
        self.screen.heading("The account of one-time key over the whole run")
        ledger = accounts.read_settled(self.network, SITES, self.stopped)
        records, wrong = accounts.link_records(ledger, self.stopped)
        wrong += accounts.leaks(self.first_ledger, ledger)
        self.record.data["links"] = records
        self.record.data["sites"] = [{"name": site["name"], "shares": site.get("shares") or []}
                                     for site in self.network.status()["sites"]]
        for link in records:
            self.screen.fact(
                f"{link['a']}-{link['b']} ({link['class']}, {', '.join(link['origins'])})",
                f"{human_bits(link['key_bits_used'])} = {human_bits(link['payload_bits'])} data "
                f"and messages + {human_bits(link['share_bits'])} became shares + "
                f"{human_bits(link['tag_bits'])} tags; thrown away "
                f"{human_bits(link['discarded_bits'])}"
                + (f"; lost while a site was off {human_bits(link['lost_bits'])}"
                   if link["lost_bits"] else ""))
        for text in wrong:
            self.record.problem(text)
            self.screen.verdict(False, text)
        if wrong:
            raise StepFailed("the account of one-time key does not add up")
        self.screen.verdict(True, "key used = data + tags on every link; both ends of every link "
                                  "tell the same; what is not left in a pool is in the account")
