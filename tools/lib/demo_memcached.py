#!/usr/bin/env python3
"""Memcached under the same load on this library and on the system's, in turn, drawn side by side."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

PREFIX = Path(os.environ["PREFIX"])
LOAD = os.environ["LOAD"]
OURS = f"{PREFIX}/lib/libevent-2.1:{PREFIX}/lib"
ROUNDS = 3
CASES = [(16, 150000), (256, 150000)]  # connections, requests
BAR = 40


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(library):
    port = free_port()
    environment = dict(os.environ)
    environment.pop("LD_LIBRARY_PATH", None)
    if library:
        environment["LD_LIBRARY_PATH"] = library
    server = subprocess.Popen(["memcached", "-u", "root", "-l", "127.0.0.1", "-U", "0", "-t", "1",
                               "-p", str(port), "-c", "2000"], env=environment)
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.01)
    sys.exit("memcached did not start")


def loaded(server):
    maps = Path(f"/proc/{server.pid}/maps").read_text()
    return sorted(set(re.findall(r"\S*/libevent\S*", maps)))


def cpu_seconds(server):
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(library, connections, requests):
    """Requests a second, and the server's processor time for one in microseconds."""
    server, port = start(library)
    try:
        subprocess.run([LOAD, str(port), str(connections), str(requests // 10)], check=True,
                       capture_output=True)
        before = cpu_seconds(server)
        rate = float(subprocess.run([LOAD, str(port), str(connections), str(requests)], check=True,
                                    capture_output=True, text=True).stdout)
        return rate, (cpu_seconds(server) - before) / requests * 1e6
    finally:
        server.terminate()
        server.wait()


def bar(value, longest):
    return "█" * max(1, round(value / longest * BAR))


def show(title, unit, ours, theirs):
    longest = max(ours, theirs)
    print(f"  {title}")
    print(f"    this library  {ours:10,.1f} {unit:12} {bar(ours, longest)}")
    print(f"    libevent 2.1  {theirs:10,.1f} {unit:12} {bar(theirs, longest)}")


def main():
    if shutil.which("memcached") is None:
        sys.exit("memcached is not installed: apt-get install memcached")
    server, _ = start(OURS)
    libraries = loaded(server)
    server.terminate()
    server.wait()
    version = subprocess.run(["memcached", "-V"], capture_output=True, text=True).stdout.strip()
    print(f"\n{version}, as the system has it, runs on:")
    for path in libraries:
        print("   ", os.path.relpath(path, PREFIX) if path.startswith(str(PREFIX)) else path)
    if any(not path.startswith(str(PREFIX)) for path in libraries):
        sys.exit("that is not this library")
    for connections, requests in CASES:
        print(f"\n{connections} connections, {requests:,} requests (1 set, 9 gets), one thread, "
              f"median of {ROUNDS} rounds in turn")
        results = ([], [])
        for _ in range(ROUNDS):
            for side, library in enumerate((OURS, None)):
                results[side].append(measure(library, connections, requests))
        rate = [statistics.median(value[0] for value in side) for side in results]
        cpu = [statistics.median(value[1] for value in side) for side in results]
        show("served", "requests/s", *rate)
        show("the server's processor time", "us/request", *cpu)
    print("\nmemcached does its own reading and writing; the library's part is the event loop.")


if __name__ == "__main__":
    main()
