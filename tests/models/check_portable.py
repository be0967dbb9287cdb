#!/usr/bin/env python3
"""Compiles what is meant for every Unix with what only Linux has hidden.

check_portable.py ROOT BUILD COMPILER...    prints what does not compile; exit 1 if there is any
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT, BUILD = Path(sys.argv[1]), Path(sys.argv[2])
COMPILER = sys.argv[3:]
MODELS = ROOT / "tests/models"
COMPONENTS = ["core/reactor", "core/buffer", "pthreads", "extra"]
NOT_UNIX = ("_linux.c", "_windows.c", "/epoll.c", "/io_uring.c", "/win32.c", "/wepoll.c")
FLAGS = ["-fsyntax-only", "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Werror",
         "-DEVI_BUILD_COMPONENT", "-D_GNU_SOURCE", "-U__linux__", "-include", "plain_unix.h"]


def includes(component):
    folders = [MODELS / "without", MODELS / "include", ROOT / component / "include",
               ROOT / component / "src", BUILD / "subprojects/libevent_reactor/include"]
    folders += [ROOT / other / "include" for other in COMPONENTS]
    return ["-I" + str(folder) for folder in folders]


def check(job):
    component, source = job
    result = subprocess.run(COMPILER + FLAGS + includes(component) + [str(source)],
                            capture_output=True, text=True)
    return source, result.returncode, result.stderr


def main():
    jobs = []
    for component in COMPONENTS:
        for source in sorted((ROOT / component / "src").rglob("*.c")):
            if not str(source).endswith(NOT_UNIX):
                jobs.append((component, source))
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        failed = [result for result in pool.map(check, jobs) if result[1] != 0]
    for source, _, text in failed:
        print(f"FAIL {source.relative_to(ROOT)}\n{text}")
    print(f"{len(jobs) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not jobs else 0


sys.exit(main())
