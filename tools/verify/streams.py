"""The row local_bulk_stream of ./run verify kms: a key stream at both ends of a link whose pools are
full, against the disk's time for the bytes that the two ends read from their pools, in the same run
and equally cold: neither is in this machine's memory when it is read."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "demo"))

from warifu_cli import CommandFailed, Network, Warifu  # noqa: E402

PIECE = 1 << 20


def let_go(descriptor):
    """Makes the kernel forget what it holds of a file that is on the disk."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def cool(folder):
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size >= PIECE:
            descriptor = os.open(path, os.O_RDONLY)
            let_go(descriptor)
            os.close(descriptor)


def disk_read(folder, size):
    """Seconds to read `size` bytes that are not in memory from a file in the folder, in pieces of
    1 MiB as a program does."""
    path = folder / "disk"
    block = os.urandom(PIECE)
    with open(path, "wb") as file:
        for _ in range(size // PIECE):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(path, os.O_RDONLY)
    try:
        let_go(descriptor)
        begin = time.monotonic()
        while os.read(descriptor, PIECE):
            pass
        return time.monotonic() - begin
    finally:
        os.close(descriptor)
        path.unlink()


def stream(network, size):
    """Seconds in which both ends of a new stream took `size` bytes each, as their readers saw it."""
    ask, site = network.warifu.ask, network.site
    opened = ask("stream", "open", "--site", site("cloud1"), "--as", "SAE-cloud1-1", "--to",
                 "SAE-cloud2-1", "--chunk", "512K")
    times, failures = {}, []

    def read(name):
        command = [network.warifu.binary, "stream", "read", "--site", str(site(name)), "--as",
                   f"SAE-{name}-1", "--id", opened["id"], "--bytes", str(size), "--out", "-"]
        begin = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, check=False)
        times[name] = time.monotonic() - begin
        if done.returncode != 0:
            failures.append(done.stderr.strip())

    threads = [threading.Thread(target=read, args=[name]) for name in ("cloud1", "cloud2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError("; ".join(failures))
    ask("stream", "close", "--site", site("cloud1"), "--id", opened["id"])
    return max(times.values())


def fill_link(network, folder, size):
    """The network with two of its sites up, and key for `size` bytes on the link between them."""
    network.init(rate="1Mbit/s", preshare="4M", bootstrap="4M", kms=True)
    network.up("cloud1", "cloud2")
    files = folder / "files"
    files.mkdir()
    network.warifu.ask("link", "preshare", "--net", network.folder, "cloud1", "cloud2", "--size",
                       f"{(size >> 20) + 48}M", "--back", "4M", "--out", files)
    for name in ("cloud1", "cloud2"):
        file = next(path for path in files.iterdir() if path.name.endswith("." + name))
        network.warifu.ask("link", "import", "--site", network.site(name), file)
        file.unlink()


def local_bulk_stream(build, size, rounds=3):
    """The row: MB/s of each end's stream, its ratio to the disk and the goal of 0.5."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="warifu-verify-"))
    network = Network(Warifu(build / "warifu"), folder / "net")
    row = {"name": "local_bulk_stream", "value": 0, "unit": "MB/s", "ratio": 0, "goal": 0.5,
           "against": "disk_read", "ok": False}
    try:
        fill_link(network, folder, size * rounds)
        streams, disks = [], []
        for _ in range(rounds):
            cool(network.folder)
            streams.append(stream(network, size))
            disks.append(disk_read(folder, 2 * size))
        seconds, disk = statistics.median(streams), statistics.median(disks)
        row["value"] = size / seconds / 1e6
        row["ratio"] = disk / seconds
        row["ok"] = row["ratio"] >= row["goal"]
        row["note"] = (f"{row['ratio']:.2f} of the disk's {2 * size / disk / 1e6:,.0f} MB/s for the "
                       f"pools of both ends; each takes {size >> 20} MiB, median of {rounds}")
    except (CommandFailed, OSError, RuntimeError) as failure:
        row["note"] = str(failure)
    finally:
        if network.exists():
            network.warifu.call("net", "down", "--net", network.folder)
        shutil.rmtree(folder, ignore_errors=True)
    return row


if __name__ == "__main__":
    print(json.dumps(local_bulk_stream(pathlib.Path(sys.argv[1]), int(sys.argv[2]) << 20), indent=2))
