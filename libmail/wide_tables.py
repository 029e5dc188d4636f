#!/usr/bin/env python3
"""Writes the tables of East Asian charsets, libmail/wide_tables.h in numbers: wide_tables.py OUTPUT

Run by make.  glibc's iconv(3) is asked for every pair of bytes.  Where charsets that mail takes for
one another differ, the first of those named below that has an answer decides; a private use
character is the last answer taken.
"""
import ctypes
import os
import sys

ROOM = 64  # bytes of UTF-32 that one character may become, and more
FAILED = ctypes.c_size_t(-1).value
libc = ctypes.CDLL(None)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv.argtypes = [ctypes.c_void_p] * 5
libc.iconv.restype = ctypes.c_size_t


def decoder(charset):
    """A function that answers the text of some bytes, or None when they are malformed."""
    conversion = libc.iconv_open(b"UTF-32LE", charset.encode())
    if conversion == ctypes.c_void_p(-1).value:
        sys.exit(f"{sys.argv[0]}: iconv(3) does not know {charset}: install all of glibc's modules "
                 "(Debian: libc6, in later releases also libc-gconv-modules-extra)")

    def decode(code):
        source, target = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(ROOM)
        places = [ctypes.c_void_p(ctypes.addressof(buffer)) for buffer in (source, target)]
        left = [ctypes.c_size_t(len(code)), ctypes.c_size_t(ROOM)]
        libc.iconv(conversion, None, None, None, None)
        result = libc.iconv(conversion, ctypes.byref(places[0]), ctypes.byref(left[0]),
                            ctypes.byref(places[1]), ctypes.byref(left[1]))
        # Some wait for what may combine with a character: no source gives it away.
        flushed = libc.iconv(conversion, None, None, ctypes.byref(places[1]), ctypes.byref(left[1]))
        if FAILED in (result, flushed) or left[0].value:
            return None
        return target.raw[:ROOM - left[1].value].decode("utf-32le")

    return decode


def is_private(text):
    return any(0xE000 <= ord(c) < 0xF900 or ord(c) >= 0xF0000 for c in text)


def first_answer(decoders, code):
    answers = [text for text in (decode(code) for decode in decoders) if text]
    return next((text for text in answers if not is_private(text)), answers[0] if answers else None)


def shift_jis(lead, trail):
    """Shift_JIS writes two rows of JIS X 0208 with one lead byte; row 120 is its last."""
    row, cell = lead - 0x21, trail - 0x21
    first = row // 2 + (0x81 if row < 62 else 0xC1)
    second = cell + 0x9F if row % 2 else cell + (0x40 if cell < 63 else 0x41)
    return bytes([first, second])


# name, charsets to ask, lead bytes, trail bytes, how a pair is written in those charsets
TABLES = (
    ("gb18030", ("GB18030",), (0x81, 0xFE), (0x40, 0xFE), lambda a, b: bytes([a, b])),
    ("big5", ("BIG5", "BIG5-HKSCS"), (0x87, 0xFE), (0x40, 0xFE), lambda a, b: bytes([a, b])),
    ("uhc", ("CP949", "EUC-KR"), (0x81, 0xFE), (0x41, 0xFE), lambda a, b: bytes([a, b])),
    ("jis0208", ("CP932",), (0x21, 0x98), (0x21, 0x7E), shift_jis),
    ("jis0212", ("EUC-JP-MS", "EUC-JP"), (0x21, 0x7E), (0x21, 0x7E), lambda a, b: bytes([0x8F, a | 0x80, b | 0x80])),
)
FIRST_EXTRA, EXTRAS = 0xD800, 2048


def numbers(out, values):
    for i in range(0, len(values), 16):
        out.append("    " + " ".join("0x%X," % value for value in values[i:i + 16]))


def table(out, name, charsets, leads, trails, code):
    decoders = [decoder(charset) for charset in charsets]
    points, extras = [], []
    for lead in range(leads[0], leads[1] + 1):
        for trail in range(trails[0], trails[1] + 1):
            text = first_answer(decoders, code(lead, trail)) or "\0"
            if len(text) == 1 and ord(text) < 0x10000:
                points.append(ord(text))
                continue
            points.append(FIRST_EXTRA + len(extras) // 2)
            extras += [ord(c) for c in (text + "\0")[:2]]
            if len(text) > 2 or len(extras) > 2 * EXTRAS:
                sys.exit(f"{sys.argv[0]}: {charsets[0]} has what does not fit into its table")
    out.append(f"static const std::uint16_t {name}_points[] = {{")
    numbers(out, points)
    out.append(f"}};\nstatic const std::uint32_t {name}_extras[][2] = {{")
    numbers(out, extras or [0, 0])
    out.append("};\nconst PairTable %s = {0x%X, 0x%X, 0x%X, 0x%X, %s_points, %s_extras};\n"
               % (name, *leads, *trails, name, name))


def ranges_of_gb18030(out):
    """Its characters of four bytes, in runs: (number of the first, its code point).  A hole belongs to
    the run before it: two bytes were given to its characters later."""
    decode, runs, last = decoder("GB18030"), [], None
    for number in range(39_420):
        tail, fourth = divmod(number, 10)
        tail, third = divmod(tail, 126)
        first, second = divmod(tail, 10)
        text = decode(bytes([0x81 + first, 0x30 + second, 0x81 + third, 0x30 + fourth]))
        if text and ord(text) - number != last:
            runs += [number, ord(text)]
            last = ord(text) - number
    out.append(f"const std::size_t gb18030_range_count = {len(runs) // 2};\n"
               "const std::uint32_t gb18030_ranges[][2] = {")
    numbers(out, runs)
    out.append("};\n")


def main():
    out = ["// Written by libmail/wide_tables.py.", '#include "libmail/wide_tables.h"\n',
           "namespace mail::tables {\n"]
    for entry in TABLES:
        table(out, *entry)
    ranges_of_gb18030(out)
    out.append("}  // namespace mail::tables")
    # Two makes may write at once.
    new = f"{sys.argv[1]}.{os.getpid()}"
    with open(new, "w") as file:
        file.write("\n".join(out) + "\n")
    os.rename(new, sys.argv[1])


main()
