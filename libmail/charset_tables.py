#!/usr/bin/env python3
"""Writes libmail/charset_tables.h: the upper halves of single-byte charsets, and case folding.

Run by hand when Python's tables have grown: libmail/charset_tables.py > libmail/charset_tables.h
"""
import sys

CHARSETS = (
    ["iso8859-%d" % n for n in list(range(1, 12)) + [13, 14, 15, 16]]
    + ["cp125%d" % n for n in range(9)]
    + ["cp874", "koi8-r", "koi8-u", "mac-roman", "cp437", "cp850", "cp852", "cp866", "tis-620"]
)


def identifier(name):
    return name.replace("-", "_")


def table(name):
    points = []
    for byte in range(128, 256):
        text = bytes([byte]).decode(name, "replace")
        points.append(ord(text) if len(text) == 1 else 0xFFFD)
    return points


def main():
    out = sys.stdout
    out.write("// Written by libmail/charset_tables.py; not to be edited.\n#pragma once\n\n"
              "#include <cstdint>\n\nnamespace mail::tables {\n")
    # Numbers, not pointers: what holds them needs no relocation, so that its pages are shared.
    out.write("\nenum UpperHalf : unsigned char {\n")
    for name in CHARSETS:
        out.write(f"    {identifier(name)},\n")
    out.write("};\n\nconstexpr std::uint16_t upper_halves[][128] = {\n")
    for name in CHARSETS:
        points = table(name)
        out.write(f"    {{  // {identifier(name)}\n")
        for i in range(0, 128, 16):
            out.write("        " + " ".join("0x%X," % p for p in points[i:i + 16]) + "\n")
        out.write("    },\n")
    out.write("};\n")
    out.write("\n}  // namespace mail::tables\n")


main()
