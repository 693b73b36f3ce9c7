"""Starts the server of the program and talks to it, with Python's standard library."""

import base64
import json
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib

SECONDS = 120
GENERATIONS = "/v1/images/generations"


class Server:
    """A running `halfstep serve` at a free port."""

    def __init__(self, program, models, *flags):
        command = [program, "serve", "--port", "0"]
        for model in models:
            command += ["--model", str(model)]
        begin = time.monotonic()
        self.process = subprocess.Popen([*command, *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.address = self.process.stdout.readline().strip().rstrip("/")
        self.start_seconds = time.monotonic() - begin
        assert self.address.startswith("http://"), self.log
        self.port = int(self.address.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Sends SIGTERM, and returns the exit code and the lines of the log."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        code = self.process.wait(SECONDS)
        self.reader.join(SECONDS)
        return code, self.log

    def ask(self, method, path, body=None, headers=None):
        """Returns (status, headers, answer): JSON, or text where it is none."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.address + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return response.status, response.headers, parsed(response.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers, parsed(error.read())

    def draw(self, **body):
        """Returns {seed: pixels} of a request that must succeed, or the status of one that did not."""
        status, _, answer = self.ask("POST", GENERATIONS, body)
        if status != 200:
            return status
        return {image["seed"]: pixels_of(base64.b64decode(image["b64_json"])) for image in answer["data"]}

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def memory(self):
        """Returns the resident memory, MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")


def pixels_of(png):
    """Returns the pixels of a PNG of 8 bits per channel that is not interlaced."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n", png[:8]
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8 and kind in (0, 2)
    compressed, at = b"", 8
    while at < len(png):
        size = struct.unpack(">I", png[at:at + 4])[0]
        if png[at + 4:at + 8] == b"IDAT":
            compressed += png[at + 8:at + 8 + size]
        at += size + 12
    return unfiltered(zlib.decompress(compressed), width * (1 if kind == 0 else 3), height, 1 if kind == 0 else 3)


def unfiltered(data, stride, height, channels):
    """Undoes the filters of PNG rows."""
    pixels, above = bytearray(), bytearray(stride)
    for y in range(height):
        kind, row = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = row[x - channels] if x >= channels else 0
            corner = above[x - channels] if x >= channels else 0
            up = above[x]
            guess = left + up - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[kind]) & 255
        pixels += row
        above = row
    return bytes(pixels)


def sampled(program, model, seeds, folder, *flags):
    """Returns {seed: pixels} of the images that `halfstep sample` draws."""
    listed = ",".join(map(str, seeds))
    subprocess.run([program, "sample", "--model", str(model), "--seeds", listed, "--outdir", str(folder),
                    *map(str, flags)], check=True, capture_output=True, timeout=SECONDS)
    return {seed: pixels_of((folder / f"{seed:06}.png").read_bytes()) for seed in seeds}


def levels_apart(a, b):
    """Returns by how many of the 256 levels two images differ at most."""
    assert len(a) == len(b)
    return max(abs(x - y) for x, y in zip(a, b))
