"""Chromium, as a user would open it, driven by the protocol of its developers' tools."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

LIMIT_S = 120


def has_browser():
    return shutil.which("chromium") is not None


class Page:
    """One page in a browser of its own."""

    def __init__(self, url):
        self.profile = tempfile.mkdtemp()
        self.browser = subprocess.Popen(
            [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", f"--user-data-dir={self.profile}", "--remote-debugging-port=0",
             "--remote-allow-origins=*", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number = 0
        self.socket = self.connect(self.find())

    def find(self):
        deadline = time.monotonic() + LIMIT_S
        path = os.path.join(self.profile, "DevToolsActivePort")
        while time.monotonic() < deadline:
            try:
                with open(path, encoding="ascii") as file:
                    self.port = int(file.readline())
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=5) as reply:
                    pages = [page for page in json.load(reply) if page["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise AssertionError("the browser does not come up")

    def connect(self, url):
        sock = socket.create_connection(("127.0.0.1", self.port), LIMIT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        path = url.split(str(self.port), 1)[1]
        sock.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
                      f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n")
                     .encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        assert b" 101 " in head, head
        return sock

    def take(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            assert part, "the browser has gone"
            data += part
        return data

    def evaluate(self, expression):
        self.number += 1
        text = json.dumps({"id": self.number, "method": "Runtime.evaluate",
                           "params": {"expression": expression, "returnByValue": True}}).encode()
        length = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + struct.pack(">H", len(text))
        self.socket.sendall(b"\x81" + length + bytes(4) + text)
        while True:
            head = self.take(2)
            size = head[1]
            if size >= 126:
                size = int.from_bytes(self.take(2 if size == 126 else 8), "big")
            answer = json.loads(self.take(size))
            if answer.get("id") == self.number:
                return answer["result"]["result"].get("value")

    def wait_for(self, expression):
        deadline = time.monotonic() + LIMIT_S
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} is not: {self.evaluate('document.body.innerText')}"
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()
        self.browser.terminate()
        self.browser.wait(LIMIT_S)
        shutil.rmtree(self.profile, ignore_errors=True)
