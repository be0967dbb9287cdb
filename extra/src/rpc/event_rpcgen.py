#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turn a description of messages into C code that marshals and unmarshals them.

usage: event_rpcgen [--quiet] FILE.rpc [[H-FILE] C-FILE]

Without C-FILE the results are FILE.gen.c and FILE.gen.h; without H-FILE the header is named like
C-FILE. Nothing is written unless the whole description is good.

A description has structures and directives, with comments as in C:

    #define LEN 16                    goes to the header
    #include "other.h"                goes to the C file, as do #if, #ifdef and #endif
    struct NAME {
        [optional|array] TYPE MEMBER = TAG;
        bytes MEMBER[LEN] = TAG;
    }

TYPE is int (32 bits), int64, string, bytes or struct[NAME]. A TAG is a number below 2^32, unique in
its structure. Members are required unless they say "optional" or "array".

From Meson:  rpc = generator(find_program('event_rpcgen'),
               output: ['@BASENAME@.gen.h', '@BASENAME@.gen.c'],
               arguments: ['--quiet', '@INPUT@', '@OUTPUT0@', '@OUTPUT1@'])
             executable('service', 'main.c', rpc.process('messages.rpc'), ...)
From CMake:  find_package(Libevent COMPONENTS extra)
             libevent_generate_rpc(service messages.rpc)
"""

import os
import re
import sys

# A command leaves nothing beside itself. Its parts are there, whatever link it was called by.
sys.dont_write_bytecode = True

from rpcgen.description import Reader, Refused, check  # noqa: E402
from rpcgen.output import generate  # noqa: E402


def output_names(args):
    """(header, C file) for the arguments behind the input."""
    stem = os.path.splitext(args[0])[0]
    source = args[-1] if len(args) > 1 else stem + ".gen.c"
    header = args[1] if len(args) > 2 else re.sub(r"\.c$", ".h", source)
    if not source.endswith(".c"):
        raise Refused(0, 'the name of the C file, "%s", must end in ".c"' % source)
    if not header.endswith(".h"):
        raise Refused(0, 'the name of the header, "%s", must end in ".h"' % header)
    return header, source


def write_all(texts):
    """Write every file beside its place first, so that a full disk leaves the old ones alone."""
    done = []
    try:
        for path, text in texts:
            done.append(path + ".tmp")
            with open(done[-1], "w", encoding="latin-1", newline="") as out:
                out.write(text)
        for path, _ in texts:
            os.replace(path + ".tmp", path)
    finally:
        for path in done:
            if os.path.exists(path):
                os.unlink(path)


def run(args):
    quiet = "--quiet" in args
    args = [arg for arg in args if arg != "--quiet"]
    if args in (["--help"], ["-h"]):
        print(__doc__.strip())
        return
    if not 1 <= len(args) <= 3 or args[0].startswith("-"):
        raise Refused(0, "usage: event_rpcgen [--quiet] FILE.rpc [[H-FILE] C-FILE]")
    header_path, source_path = output_names(args)
    with open(args[0], encoding="latin-1", newline="") as file:
        text = file.read()
    reader = Reader(text)
    reader.read()
    check(reader.structs)
    header, source = generate(reader, args[0], header_path)
    write_all([(header_path, header), (source_path, source)])
    if not quiet:
        print("%s: %d structures; wrote %s and %s"
              % (args[0], len(reader.structs), header_path, source_path))


def main():
    args = sys.argv[1:]
    inputs = [arg for arg in args if not arg.startswith("-")]
    try:
        run(args)
    except Refused as refused:
        where = "%s:%d" % (inputs[0], refused.line) if refused.line else "event_rpcgen"
        print("%s: %s" % (where, refused), file=sys.stderr)
        return 1
    except OSError as error:
        print("event_rpcgen: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
