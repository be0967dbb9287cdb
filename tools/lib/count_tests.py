#!/usr/bin/env python3
"""Prints "passed failed skipped" for Meson test logs, counting the single tests of each executable.

Criterion and the project's own small harness end with a line that says how many; an executable
without such a line counts as one test. With --skipped: which tests skipped themselves, how often, and why.
With --failed: what the executables that failed had to say.
"""

import json
import re
import sys
from collections import Counter

CRITERION = re.compile(r"Tested:\s*(\d+)\s*\|\s*Passing:\s*(\d+)\s*\|\s*Failing:\s*(\d+)"
                       r"\s*\|\s*Crashing:\s*(\d+)")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
SKIPPED = re.compile(r"^\[?SKIP\]? +(\S+?):? +(.*)$", re.M)
# The small harness: names on its output and, in the same order, reasons among the messages.
SKIPPED_NAME = re.compile(r"^skip (\S+)$", re.M)
SKIPPED_WHY = re.compile(r"^skipped: (.*)$", re.M)
QUIET = re.compile(r"^(\[(PASS|RUN |SKIP|====)|ok |skip |(\[----\])?\s*$)")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def text_of(entry):
    text = entry.get("stdout", "") + entry.get("stderr", "")
    return ESCAPES.sub("", text.replace("\r\n", "\n"))  # Windows ends lines so


def count(entry):
    text = text_of(entry)
    good = entry["result"] in ("OK", "EXPECTEDFAIL")
    skipped = entry["result"] == "SKIP"
    found = CRITERION.search(text)
    if found:
        tested, passing, failing, crashing = map(int, found.groups())
        bad = failing + crashing
        return passing, max(bad, 0 if good else 1), text.count("[SKIP]")
    found = PLAIN.search(text)
    if found:
        passing, bad = int(found.group(1)), int(found.group(2))
        return passing, max(bad, 0 if good else 1), int(found.group(3) or 0)
    return int(good), int(not good and not skipped), int(skipped)


def entries(paths):
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if line.strip():
                    yield json.loads(line)


def skipped(entry):
    text = text_of(entry)
    return SKIPPED.findall(text) + list(zip(SKIPPED_NAME.findall(text), SKIPPED_WHY.findall(text)))


def print_skipped(paths):
    found = Counter()
    for entry in entries(paths):
        for test, reason in skipped(entry):
            found[test, reason] += 1
    for (test, reason), times in sorted(found.items()):
        print(f"{test}: {reason}" + (f" ({times} times)" if times > 1 else ""))


def print_failed(paths, most=12):
    for entry in entries(paths):
        if count(entry)[1] == 0:
            continue
        lines = [line for line in text_of(entry).splitlines() if not QUIET.match(line)]
        print(f"FAIL {entry['name']} ({entry['result'].lower()}, {entry['duration']:.1f} s)")
        for line in lines[:most]:
            print("FAIL   ", line[:200])


def main():
    if sys.argv[1:2] == ["--failed"]:
        print_failed(sys.argv[2:])
        return
    if sys.argv[1:2] == ["--skipped"]:
        print_skipped(sys.argv[2:])
        return
    totals = [0, 0, 0]
    for entry in entries(sys.argv[1:]):
        totals = [a + b for a, b in zip(totals, count(entry))]
    print(*totals)


if __name__ == "__main__":
    main()
