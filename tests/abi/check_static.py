#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""No two components define the same symbol: statically linked, all of them share one name space.

usage: check_static.py NM ARCHIVE...
"""

import subprocess
import sys
from pathlib import Path


def defined(nm, archive):
    lines = subprocess.run([nm, "-g", "--defined-only", archive], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    fields = [line.split() for line in lines]
    # With a dot it is the compiler's, which the linker merges: __x86.get_pc_thunk.bx on i686.
    return {words[2] for words in fields
            if len(words) == 3 and words[1] in "TDBRC" and "." not in words[2]}


def main():
    nm, *archives = sys.argv[1:]
    owner, failed = {}, 0
    for archive in archives:
        symbols = defined(nm, archive)
        if not symbols:
            sys.exit(f"{archive} defines nothing")
        for symbol in symbols:
            if symbol in owner:
                print(f"{symbol}: in {owner[symbol]} and in {Path(archive).name}")
                failed += 1
            owner[symbol] = Path(archive).name
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
