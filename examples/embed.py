#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a C header with a file's bytes: embed.py FILE NAME HEADER"""

import sys

path, name, header = sys.argv[1:]
with open(path, "rb") as file:
    data = file.read()
with open(header, "w", encoding="ascii") as out:
    out.write(f"static const unsigned char {name}[{len(data)}] = {{\n")
    for at in range(0, len(data), 20):
        out.write(" ".join(f"{byte}," for byte in data[at:at + 20]) + "\n")
    out.write("};\n")
