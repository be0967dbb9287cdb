#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the generated documentation: every function of the public headers has its place in it.

usage: check_html.py HTML-FOLDER
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ["core/reactor", "core/buffer", "pthreads", "extra"]
FUNCTION = re.compile(r"^EVENT2_(?:CORE_|EXTRA_)?EXPORT_SYMBOL\s[^;{]*?\b(\w+)\s*\(", re.M)


def declared():
    for component in HEADERS:
        for header in sorted((ROOT / component / "include" / "event2").glob("*.h")):
            for name in FUNCTION.findall(header.read_text(encoding="utf-8")):
                # What only Windows declares is left out on the others.
                if "windows" not in name:
                    yield header.name, name


def main():
    html = Path(sys.argv[1])
    if not (html / "index.html").is_file():
        sys.exit(f"{html} has no index.html")
    index = "".join(page.read_text(encoding="utf-8") for page in html.glob("globals_func*.html"))
    names = list(declared())
    missing = [f"{header}: {name}" for header, name in names if f">{name}()" not in index
               and f">{name}</a>" not in index]
    print(*missing, sep="\n")
    print(f"{len(names) - len(missing)} of {len(names)} functions have their place")
    return 1 if missing or len(names) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
