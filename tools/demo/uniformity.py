"""Do bytes look like pure chance? Pearson's chi-squared over the 256 byte values.

For uniform bytes the sum is near 255 with standard deviation 22.6. LIMIT lies 7 deviations above:
a uniform share exceeds it about once in a million million samples; text, zeros or a genome file
exceed it by a factor of hundreds.
"""

import collections

LIMIT = 255 + 7 * 22.6

# Layout of a share file: the description of itself twice, then records, each at the start of a disk
# block, with zeros up to the next one.
DISK_BLOCK = 4096
RECORDS_START = 2 * DISK_BLOCK
FULL_RECORD = 256 * 1024 + 32
STRIDE = -(-FULL_RECORD // DISK_BLOCK) * DISK_BLOCK


def chi_squared(data):
    counts = collections.Counter(data)
    expected = len(data) / 256
    return sum((counts.get(value, 0) - expected) ** 2 for value in range(256)) / expected


def share_file(site_folder, share_id):
    """The file in which a site keeps a share; None when there is none."""
    return next(site_folder.rglob(f"{share_id}.share"), None)


def records(path, most=None):
    """The share's own bytes, without the description and the zeros between records."""
    data = bytearray()
    with open(path, "rb") as file:
        at = RECORDS_START
        while most is None or len(data) < most:
            file.seek(at)
            record = file.read(FULL_RECORD)
            if not record:
                break
            data += record
            at += STRIDE
    return bytes(data)
