#!/usr/bin/env python3
"""Writes Unicode's tables, libmail/unicode_tables.h in numbers: unicode_tables.py OUTPUT

Run by make.  Python's tables are asked; a later version of Unicode changes nothing for the characters of an earlier one.
"""
import os
import sys
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)   # these are computed
POINTS = [point for point in range(0x80, 0x110000) if not 0xD800 <= point < 0xE000 and point not in HANGUL]


def table(out, kind, name, values, per_row):
    out.append(f"constexpr {kind} {name}_values[] = {{")
    for at in range(0, len(values), per_row):
        out.append("    " + " ".join(values[at:at + per_row]))
    out.append(f"}};\nconst std::span<const {kind}> {name}({name}_values);\n")


def parts_of(point):
    """What it is written as, of whatever kind that is, or nothing; and whether it means the same in all ways."""
    words = unicodedata.decomposition(chr(point)).split()
    canonical = bool(words) and not words[0].startswith("<")
    return [int(word, 16) for word in (words if canonical else words[1:])], canonical


def title(point):
    """The titlecase property: one character, or the same."""
    text = chr(point).title()
    return ord(text) if len(text) == 1 else point


def taken_apart(point):
    parts = [] if point in HANGUL else parts_of(point)[0]
    return [last for part in parts for last in taken_apart(part)] or [point]


def case_tables(out):
    pool, places, entries = [], {}, []
    for point in POINTS:
        parts = tuple(taken_apart(title(point)))
        if parts == (point,):
            continue
        if parts not in places:
            places[parts] = len(pool)
            pool.extend(parts)
        entries.append("{%#x, %d, %d}," % (point, places[parts], len(parts)))
    assert len(pool) < 0x10000
    table(out, "CaseMap", "case_maps", entries, 6)
    table(out, "std::uint32_t", "case_pool", ["%#x," % point for point in pool], 14)


def normal_tables(out):
    splits, joins, classes = [], [], []
    for point in POINTS:
        parts, canonical = parts_of(point)
        if canonical:
            splits.append((point, parts[0], parts[1] if len(parts) == 2 else 0))
            # What form C itself takes apart is never put together.
            if len(parts) == 2 and unicodedata.normalize("NFC", chr(point)) == chr(point):
                joins.append((parts[0], parts[1], point))
        order = unicodedata.combining(chr(point))
        if order:
            if classes and classes[-1][1] == point - 1 and classes[-1][2] == order:
                classes[-1] = (classes[-1][0], point, order)
            else:
                classes.append((point, point, order))
    table(out, "Split", "splits", ["{%#x, %#x, %#x}," % split for split in splits], 4)
    table(out, "Join", "joins", ["{%#x, %#x, %#x}," % join for join in sorted(joins)], 4)
    table(out, "ClassRange", "class_ranges", ["{%#x, %#x, %d}," % entry for entry in classes], 5)


def main():
    out = [f"// Written by libmail/unicode_tables.py (Unicode {unicodedata.unidata_version}).",
           '#include "libmail/unicode_tables.h"\n', "namespace mail::tables {\n"]
    case_tables(out)
    normal_tables(out)
    out.append("}  // namespace mail::tables")
    # Two makes may write at once.
    new = f"{sys.argv[1]}.{os.getpid()}"
    with open(new, "w") as file:
        file.write("\n".join(out) + "\n")
    os.rename(new, sys.argv[1])


main()
