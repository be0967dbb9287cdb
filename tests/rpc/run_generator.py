#!/usr/bin/env python3
"""event_rpcgen as a command: the names of its files, what it refuses, what it accepts.

usage: run_generator.py GENERATOR REGRESS.RPC -I...
"""

import os
import shutil
import subprocess
import sys
import tempfile

GENERATOR, REGRESS, *INCLUDES = sys.argv[1:]
GENERATOR, REGRESS = os.path.abspath(GENERATOR), os.path.abspath(REGRESS)
INCLUDES = ["-I" + os.path.abspath(path[2:]) for path in INCLUDES]
failures = []


def check(ok, text):
    if not ok:
        failures.append(text)
        print("FAILED:", text)


def run(*args):
    return subprocess.run([sys.executable, GENERATOR, *args], capture_output=True, text=True)


def put(name, text):
    with open(name, "w", encoding="utf-8") as out:
        out.write(text)


def refused(text, line, hint):
    """The description is refused with one line that names the line, and nothing is written."""
    put("bad.rpc", text)
    put("bad.gen.c", "old")
    result = run("bad.rpc")
    told = result.stderr
    check(result.returncode != 0, "accepted: " + text)
    check(told.startswith("bad.rpc:%d: " % line) and told.count("\n") == 1 and hint in told,
          "%r: said %r" % (text, told))
    check(open("bad.gen.c").read() == "old" and not os.path.exists("bad.gen.h"),
          "wrote output for: " + text)


def accepted(text):
    put("good.rpc", text)
    result = run("--quiet", "good.rpc")
    check(result.returncode == 0, "%r: refused: %s" % (text, result.stderr))
    return open("good.gen.h").read(), open("good.gen.c").read()


# RPC-001, RPC-002, RPC-003
def names():
    put("x.y.rpc", "struct a { int b = 1; }\n")
    result = run("x.y.rpc")
    check(result.returncode == 0 and result.stdout and not result.stderr, "progress on stdout")
    check(os.path.exists("x.y.gen.c") and os.path.exists("x.y.gen.h"), "default names")
    check('#include "x.y.gen.h"' in open("x.y.gen.c").read(), "header by its base name")
    result = run("--quiet", "x.y.rpc", "one.c")
    check(result.returncode == 0 and not result.stdout, "quiet")
    check(os.path.exists("one.c") and os.path.exists("one.h"), "C file named")
    os.mkdir("inc")
    check(run("x.y.rpc", "inc/h.h", "c.c").returncode == 0, "both named")
    check('#include "h.h"' in open("c.c").read() and os.path.exists("inc/h.h"), "both written")
    for bad in (["x.y.rpc", "one.cc"], ["x.y.rpc", "h.hh", "c.c"], ["x.y.rpc", "a.h", "b.c", "d"],
                [], ["missing.rpc"]):
        result = run(*bad)
        check(result.returncode != 0 and result.stderr.count("\n") == 1, "arguments %s" % bad)


# RPC-004, RPC-007, RPC-008, RPC-009, RPC-010, RPC-011, RPC-012, RPC-013, RPC-014
def refusals():
    refused("struct a {\n int b = 1;\n", 3, "end of file")
    refused("struct\na {\n}\n", 1, "one line")
    refused("struct a\n{\n}\n", 1, "one line")
    refused("struct 1a {\n}\n", 1, "")
    refused("struct int {\n}\n", 1, "int")
    refused("struct a {\n int b = 1;\n};\n", 3, "}")
    refused("struct a {\n int b = 1;\n#define X 1\n}\n", 3, "outside")
    refused("#else\n", 1, "#else")
    refused("#pragma once\nstruct a {\n}\n", 1, "#pragma")
    refused("int b = 1;\n", 1, "struct")
    refused("struct a {\n int b;\n}\n", 2, "=")
    refused("struct a {\n int b = ;\n}\n", 2, "tag")
    refused("struct a {\n int b = x;\n}\n", 2, "tag")
    refused("struct a {\n int b = -1;\n}\n", 2, "-1")
    refused("struct a {\n int b = 1 int c = 2;\n}\n", 2, ";")
    refused("struct a {\n int b = 0x100000000;\n}\n", 2, "32 bits")
    refused("struct a {\n int b = 4294967296;\n}\n", 2, "32 bits")
    refused("struct a {\n int b = 1;\n int c = 0x1;\n}\n", 3, "tag 1")
    refused("struct a {\n int b = 1;\n\n string b = 2;\n}\n", 4, '"b"')
    refused("struct a {\n}\nstruct b {\n}\nstruct a {\n}\n", 5, '"a"')
    refused("struct a {\n struct[nobody] b = 1;\n}\n", 2, "nobody")
    refused("struct a {\n struct b = 1;\n}\n", 2, "[")
    refused("struct a {\n float b = 1;\n}\n", 2, "float")
    refused("struct a {\n optional optional int b = 1;\n}\n", 2, "optional")
    refused("struct a {\n optional array int b = 1;\n}\n", 2, "array")
    refused("struct a {\n array bytes b = 1;\n}\n", 2, "bytes")
    refused("struct a {\n array bytes b[3] = 1;\n}\n", 2, "bytes")
    refused("struct a {\n int b[3] = 1;\n}\n", 2, "length")
    refused("struct a {\n string b[3] = 1;\n}\n", 2, "length")
    refused("struct a {\n bytes b[0] = 1;\n}\n", 2, "0")
    refused("struct a {\n bytes b[] = 1;\n}\n", 2, "length")
    refused("/* one\n /* two\n", 1, "comment")
    refused("struct a {\n int b_c = 1;\n}\nstruct a_b {\n int c = 2;\n}\n", 4, "A_B_C")


# RPC-006, RPC-007, RPC-008, RPC-009, RPC-011, RPC-018
def acceptances():
    header, source = accepted("""// first
#define LEN 7
#include "other.h"
#if defined(THIS) /* comment */
#include <stdio.h>
#endif
#ifdef THAT
#endif
struct /* a comment */ a { // another
  int b = 0; /* over
  lines */ int
  c = 0x10 ; bytes d[LEN] = 3; bytes e [ 4 ] = 2
} /* end */

struct empty {
}
""")
    check("#define LEN 7\n" in header and "LEN 7" not in source, "#define goes to the header")
    where = [source.find(text) for text in ('#include "other.h"', "#if defined(THIS)",
                                           "#include <stdio.h>", "#endif\n", "#ifdef THAT")]
    check(-1 not in where and where == sorted(where), "directives in order in the C file")
    check("other.h" not in header, "#include goes to the C file")
    check("A_B = 0," in header and "A_C = 16," in header and "A_MAX_TAGS" in header, "tags")
    check("ev_uint8_t d_data[LEN];" in header, "length by name")


# RPC-005
def deterministic():
    first = accepted(open(REGRESS).read())
    os.environ["PYTHONHASHSEED"] = "77"
    check(accepted(open(REGRESS).read()) == first, "the same output every time")
    for text in first:
        check(os.getcwd() not in text, "no path of the machine in the output")


# RPC-017, RPC-023, RPC-026
def compilers():
    run("--quiet", REGRESS, "r.c")
    put("use.cc", '#include "r.h"\n#include "r.h"\nint main() { return EVTAG_HAS(msg_new(), attack); }\n')
    warn = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wcast-qual", "-Werror", *INCLUDES]
    for command in (["gcc", "-std=c99", "-Wmissing-prototypes", "r.c"],
                    ["clang", "-std=c99", "-Wmissing-prototypes", "r.c"],
                    ["g++", "-std=c++17", "use.cc"], ["g++", "-std=c++17", "-x", "c++", "r.c"],
                    ["clang++", "-std=c++17", "-x", "c++", "r.c"]):
        if shutil.which(command[0]):
            result = subprocess.run([*command, "-O2", "-c", "-o", "r.o", *warn],
                                    capture_output=True, text=True)
            check(result.returncode == 0, "%s: %s" % (command, result.stderr))


with tempfile.TemporaryDirectory() as scratch:
    os.chdir(scratch)
    for part in (names, refusals, acceptances, deterministic, compilers):
        part()
    os.chdir("/")
sys.exit(1 if failures else 0)
