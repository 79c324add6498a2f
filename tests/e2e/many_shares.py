"""Share files by the thousand, made out of one: other shares of other objects, as a store reads
them. What is in them is of no use to anybody; their headers are good."""

import pathlib

HEADER, SLOTS = 4096, 2
SHARE, OBJECT, CHECKSUM = slice(40, 56), slice(56, 72), slice(4092, 4096)


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def change_of_checksum():
    """The checksum is linear: what each bit of the two ids changes in it, by byte and bit."""
    changes = []
    for place in range(SHARE.start, OBJECT.stop):
        changes.append([])
        for bit in range(8):
            crc = TABLE[1 << bit]
            for _ in range(CHECKSUM.start - place - 1):
                crc = crc >> 8 ^ TABLE[crc & 0xFF]
            changes[-1].append(crc)
    return changes


def copy_share(path, count):
    """So many other shares beside the one at `path`, their ids 1, 2, 3 and on; their files."""
    path = pathlib.Path(path)
    original = path.read_bytes()
    changes = change_of_checksum()
    made = []
    for number in range(1, count + 1):
        share, thing = number.to_bytes(16, "big"), (number << 64).to_bytes(16, "big")
        content = bytearray(original)
        for slot in range(SLOTS):
            header = memoryview(content)[slot * HEADER:(slot + 1) * HEADER]
            crc = int.from_bytes(header[CHECKSUM], "little")
            for new, old, bits in zip(share + thing, bytes(header[SHARE.start:OBJECT.stop]),
                                      changes):
                for bit in range(8):
                    if (new ^ old) >> bit & 1:
                        crc ^= bits[bit]
            header[SHARE], header[OBJECT] = share, thing
            header[CHECKSUM] = crc.to_bytes(4, "little")
        made.append(path.parent / f"{share.hex()}{path.suffix}")
        made[-1].write_bytes(content)
    return made
