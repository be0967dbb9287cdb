"""What the client tests share: run a Debian program on our libraries and prove that it did."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PREFIX = Path(os.environ["PREFIX"])
SONAMES = PREFIX / "lib" / "libevent-2.1"
ENVIRONMENT = dict(os.environ, LD_LIBRARY_PATH=f"{SONAMES}:{PREFIX / 'lib'}")


def skip(reason):
    print(reason)
    sys.exit(77)


def need(*programs):
    """The paths of programs; skips the test, saying so, when one is not installed."""
    paths = []
    for program in programs:
        found = [Path(folder) / program for folder in
                 (os.environ["PATH"] + ":/usr/sbin:/sbin").split(":")
                 if (Path(folder) / program).exists()]
        if not found:
            skip(f"{program} is not installed")
        paths.append(str(found[0]))
    return paths[0] if len(paths) == 1 else paths


given_ports = set()


def free_port():
    """
    Free for TCP and UDP, and below the range from which the system takes ports for those that connect: who asks a
    server that is not there yet might take its port, or even reach itself.
    """
    while True:
        port = random.randrange(11000, 32768)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in given_ports:
            given_ports.add(port)
            return port


def wait_for(condition, what, seconds=60):
    """Polls until condition() is true: the other side is a program that cannot be waited on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def our_libraries(pid):
    """Asserts that no system libevent is mapped and returns which of ours are."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    paths = set(re.findall(r"/\S*libevent\S*", maps))
    foreign = [path for path in paths if not path.startswith(str(PREFIX))]
    assert paths and not foreign, f"mapped: {sorted(paths)}"
    return {re.sub(r"\.so.*", "", Path(path).name) for path in paths}


class Program:
    """A program on our libraries, killed at the end with all its children, whatever happens."""

    def __init__(self, *command, environment=None, **options):
        self.log = tempfile.TemporaryFile("w+")
        options.setdefault("start_new_session", True)
        self.process = subprocess.Popen(command, env=environment or ENVIRONMENT,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, **options)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        if kind is not None:
            print(self.output())

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def running(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}"
        return True

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Sends a signal and returns the exit status: the program must end by itself."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


def run_tests(namespace):
    """Runs every test_* of a module, or those named on the command line, one line each."""
    failed = 0
    wanted = sys.argv[1:] or [name for name in namespace if name.startswith("test_")]
    for name, test in [(name, namespace[name]) for name in wanted]:
        if callable(test):
            try:
                test()
                print("ok", name)
            except Exception as error:  # a test fails by any exception
                failed += 1
                print("FAIL", name, type(error).__name__, error)
    sys.exit(1 if failed else 0)
