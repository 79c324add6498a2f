"""Do bytes look like pure chance? Pearson's chi-squared over the 256 byte values.

For uniform bytes the sum is near 255 with standard deviation 22.6. LIMIT lies 7 deviations above:
a uniform share exceeds it about once in a million million samples; text, zeros or a genome file
exceed it by a factor of hundreds.
"""

import collections

LIMIT = 255 + 7 * 22.6
SKIPPED_HEADER = 8192  # a share file begins with a description of itself, which is not secret


def chi_squared(data):
    counts = collections.Counter(data)
    expected = len(data) / 256
    return sum((counts.get(value, 0) - expected) ** 2 for value in range(256)) / expected


def share_file(site_folder, share_id):
    """The file in which a site keeps a share: the largest one that carries the share's id."""
    found = [path for path in site_folder.rglob(f"*{share_id}*") if path.is_file()]
    for folder in site_folder.rglob(f"*{share_id}*"):
        if folder.is_dir():
            found += [path for path in folder.rglob("*") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_size, default=None)


def sample(path, most=1 << 20):
    """Bytes from the body of a share file."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        file.seek(min(SKIPPED_HEADER, size // 2))
        return file.read(most)
