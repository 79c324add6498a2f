"""The account of one-time key: what every link spent, seen from both of its ends.

A ledger holds, for every direction of every link, what the sending and what the receiving end say.
Both must tell the same; the difference of two ledgers is what happened in between.

For one direction:  mark = bytes marked used since the pool began
                    discarded = marked and never used
                    used = mark - discarded, which must be payload + tag + hash key + share
                    (share: key that became a share itself at both ends, with nothing sent)

A site that stops may miss messages that were on their way: their pad is used at the sending end and
thrown away at the receiving end. On links of sites that were stopped (`stopped`) so much, and no
more than LOST_LIMIT, may differ; the marks must be equal even there.
"""

import time

LOST_LIMIT = 64 * 1024
FIGURES = ("mark", "payload_bytes", "share_bytes", "tag_bytes", "hash_key_bytes", "bulk_bytes",
           "discarded_bytes")


class Direction:
    """One direction of a link: the figures of its two ends (None when an end does not answer)."""

    def __init__(self, link_class):
        self.link_class = link_class
        self.send = None
        self.receive = None
        self.origins = set()

    def figures(self):
        return self.send or self.receive

    def lost_bytes(self):
        """Pad that the sending end used and the receiving end threw away."""
        if self.send is None or self.receive is None:
            return 0
        return self.receive["discarded_bytes"] - self.send["discarded_bytes"]

    def agrees(self, may_lose=False):
        if self.send is None or self.receive is None:
            return True
        if may_lose:
            return (self.send["mark"] == self.receive["mark"]
                    and 0 <= self.lost_bytes() <= LOST_LIMIT)
        return all(self.send[name] == self.receive[name] for name in FIGURES)

    def key_bytes(self):
        figures = self.figures()
        return (figures["payload_bytes"] + figures["share_bytes"] + figures["tag_bytes"]
                + figures["hash_key_bytes"])

    def moved_bytes(self):
        """Share bytes that came to the other end, sent or drawn."""
        return self.figures()["bulk_bytes"] + self.figures()["share_bytes"]


def read(network, sites):
    """A ledger: {(from, to): Direction}."""
    ledger = {}
    for site in sites:
        for link in network.link_status(site):
            outwards = ledger.setdefault((site, link["peer"]), Direction(link["class"]))
            inwards = ledger.setdefault((link["peer"], site), Direction(link["class"]))
            outwards.send, inwards.receive = link["send"], link["receive"]
            outwards.origins.update(link["send"].get("origins", []))
            inwards.origins.update(link["receive"].get("origins", []))
    return ledger


def read_settled(network, sites, stopped=(), limit=30.0):
    """A ledger in which both ends agree; after the limit, with the directions that never did.

    Messages pass all the time, so each direction is taken at a moment when none was on its way."""
    end = time.monotonic() + limit
    settled = {}
    while True:
        ledger = read(network, sites)
        for ends, direction in ledger.items():
            if ends not in settled and direction.agrees(may_lose=bool(set(ends) & set(stopped))):
                settled[ends] = direction
        if len(settled) == len(ledger) or time.monotonic() > end:
            return ledger | settled
        time.sleep(0.1)


def spent(before, after, figure="key_bytes"):
    """Bytes by direction between two ledgers, directions without use left out.

    `figure` is "key_bytes", "moved_bytes" or one of FIGURES."""
    def read_figure(direction):
        if figure in FIGURES:
            return direction.figures()[figure]
        return getattr(direction, figure)()

    result = {}
    for ends, direction in after.items():
        used = read_figure(direction) - (read_figure(before[ends]) if ends in before else 0)
        if used:
            result[ends] = used
    return result


def besides(network, ends, before, after, limit=5.0):
    """Bytes of data, with their tags, that went one way between two ledgers and belong to no job:
    the control site brings changed pages of its catalog to its neighbours every half minute.

    By the sender's trail, which is written once a second; so it is asked until it has as much as
    the ledgers say that was moved."""
    sender, receiver = ends
    old = before[ends].figures()["mark"] if ends in before else 0
    new = after[ends].figures()["mark"]
    moved = spent(before, after, "moved_bytes").get(ends, 0)
    end = time.monotonic() + limit
    while True:
        ranges = [record for record in network.key_trail(sender, receiver)
                  if record["direction"] == "send" and record["use"] in ("bulk", "share")
                  and old <= record["offset"] < new]
        if sum(record["bytes"] for record in ranges) >= moved or time.monotonic() > end:
            return sum(record["bytes"] for record in ranges
                       if record["use"] == "bulk" and not record["job"])
        time.sleep(0.2)


def carried_exactly(used, share_bits):
    """Whether so many bits of shares went over each of these directions, and over no other. Beside
    them lies only what `other_bits` allows, and every bit had a bit of key and its tag more."""
    wanted = dict(share_bits)
    for entry in used:
        extra = entry["share_bits"] - wanted.pop((entry["from"], entry["to"]), 0)
        if not 0 <= extra <= entry["other_bits"] or entry["key_bits"] <= entry["share_bits"]:
            return False
    return not wanted


def disagreements(ledger, stopped=()):
    """One sentence for each figure that the two ends of a direction tell differently."""
    found = []
    for (sender, receiver), direction in sorted(ledger.items()):
        if direction.agrees(may_lose=sender in stopped or receiver in stopped):
            continue
        for name in FIGURES:
            if direction.send[name] != direction.receive[name]:
                found.append(f"{sender} > {receiver}: {name} is {direction.send[name]} at {sender} "
                             f"and {direction.receive[name]} at {receiver}")
    return found


def link_records(ledger, stopped=()):
    """The account of every link, both directions summed, in bits; and what is wrong with it."""
    records, wrong = [], disagreements(ledger, stopped)
    for a, b in sorted(ends for ends in ledger if ends[0] < ends[1]):
        sums = dict.fromkeys(FIGURES, 0)
        origins = set()
        for direction in (ledger[a, b], ledger[b, a]):
            origins |= direction.origins
            for name in FIGURES:
                sums[name] += direction.figures()[name]
        record = {
            "a": a, "b": b, "class": ledger[a, b].link_class,
            "key_bits_used": 8 * (sums["mark"] - sums["discarded_bytes"]),
            "payload_bits": 8 * sums["payload_bytes"],
            "tag_bits": 8 * (sums["tag_bytes"] + sums["hash_key_bytes"]),
            "hash_key_bits": 8 * sums["hash_key_bytes"],
            "bulk_bits": 8 * sums["bulk_bytes"],
            "share_bits": 8 * sums["share_bytes"],
            "discarded_bits": 8 * sums["discarded_bytes"],
            "lost_bits": 8 * (ledger[a, b].lost_bytes() + ledger[b, a].lost_bytes()),
            "origins": sorted(origins),
        }
        told = record["payload_bits"] + record["tag_bits"] + record["share_bits"]
        if record["key_bits_used"] != told:
            wrong.append(f"{a}-{b}: {record['key_bits_used']} key bits used, but payload, tags and "
                         f"key that became shares are {told}")
        records.append(record)
    return records, wrong


def leaks(before, after):
    """Preshared pools whose stock does not match the mark.

    Nothing comes in there, so left + marked is fixed. This does not use what the sites say that
    they used, only what is left."""
    found = []
    for ends, direction in sorted(after.items()):
        if direction.link_class != "preshared" or ends not in before:
            continue
        old, new = before[ends].figures(), direction.figures()
        if old["available_bytes"] + old["mark"] != new["available_bytes"] + new["mark"]:
            found.append(f"{ends[0]} > {ends[1]}: {new['available_bytes']} bytes are left of "
                         f"{old['available_bytes']}, but {new['mark'] - old['mark']} were marked")
    return found


# --- what a file must cost ---

CHUNK_BYTES = 256 * 1024
TAG_BYTES = 32   # shared beside each chunk
WORD_BYTES = 32  # chunks are padded to a multiple of this


def records_bytes(size):
    """Share bytes of a file of `size` bytes: every chunk padded, with its tag."""
    full, rest = divmod(size, CHUNK_BYTES)
    padded = (rest + WORD_BYTES - 1) // WORD_BYTES * WORD_BYTES
    return full * (CHUNK_BYTES + TAG_BYTES) + (padded + TAG_BYTES if rest else 0)
