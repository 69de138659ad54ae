"""forge.py - recordings that no honest hv writes: with hostile names, or very long.

    forge.py hostile IN OUT     every text of the header is HTML, a script or an escape sequence
    forge.py long IN OUT N      IN's events again and again, N in all

Offsets are those of docs/RECORDING.md.
"""
import struct
import sys

HEADER, EVENT = 0x2000, 48
ATTACK = "</script><img src=x onerror=alert(1)>"


def put(data, at, size, text):
    text = text.encode("utf-8", "surrogateescape")[:size - 1]
    data[at:at + size] = text + bytes(size - len(text))


def hostile(data):
    kinds, actors = struct.unpack_from("<I", data, 0x18)[0], struct.unpack_from("<I", data, 0x14)[0]
    put(data, 0x80, 32, "<b onmouseover=alert(2)>\"'`")
    put(data, 0xa0, 32, "]]>--><!--<script>\u2028&lt;&quot;")
    put(data, 0xc0, 64, "")
    put(data, 0x100, 512, "/tmp/" + ATTACK + "\"'\x1b[31m\x07\udcff\udcc0\n\u202e")
    put(data, 0x300, 1024, "hv run " + 20 * ATTACK + "${alert(3)}{{alert(4)}}")
    for i in range(6, actors):
        put(data, 0x700 + 32 * i, 31, "</script><img onerror=x %d>" % i)
    # A kind that a newer hv added, with the name that the file gives it; a third of all calls are it.
    put(data, 0xf00 + 32 * kinds, 31, "<svg/onload=alert(5)>\"")
    data[0xf00 + 32 * kinds + 31] = 0
    struct.pack_into("<H", data, 0x0a, 1000)
    struct.pack_into("<I", data, 0x18, kinds + 1)
    call = next(k for k in range(kinds) if data[0xf00 + 32 * k:].startswith(b"call\0"))
    for n, at in enumerate(range(HEADER, len(data), EVENT)):
        if struct.unpack_from("<H", data, at + 40)[0] == call and n % 3 == 0:
            struct.pack_into("<H", data, at + 40, kinds)
    # What a process passed to the host's kernel: the path of its open(2), in a system call's operands.
    rows = [(bytes(data[0xf00 + 32 * k:0xf1f + 32 * k]).rstrip(b"\0"), data[0xf1f + 32 * k]) for k in range(kinds)]
    syscall, text = rows.index((b"syscall", 0)), rows.index((b"text", 4))
    for at in range(HEADER + 2 * EVENT, HEADER + 60 * EVENT, 4 * EVENT):
        struct.pack_into("<QQHBB4x", data, at + 24, 2, 0x1000, syscall, 0, 5)
        struct.pack_into("<32sH3xBxx", data, at + EVENT + 8, b"<img src=x onerror=alert(8)>\"'", text, 30)
    # Numbers at their ends: times that go back, addresses and values of all ones.
    for at in range(HEADER + 100 * EVENT, HEADER + 120 * EVENT, EVENT):
        struct.pack_into("<QQQQQ", data, at, *5 * [2**64 - 1])
    return data


def main():
    data = bytearray(open(sys.argv[2], "rb").read())
    count = struct.unpack_from("<Q", data, 0x40)[0]
    del data[HEADER + EVENT * count:]
    if sys.argv[1] == "hostile":
        hostile(data)
    else:
        events, want = bytes(data[HEADER:]), int(sys.argv[4])
        data[HEADER:] = (events * (want // count + 1))[:EVENT * want]
        struct.pack_into("<Q", data, 0x40, want)
    open(sys.argv[3], "wb").write(data)


main()
