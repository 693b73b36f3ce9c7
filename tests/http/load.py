#!/usr/bin/env python3
"""Measures the program's server under load: the long form of serve_test.py.

    load.py HALFSTEP MODEL [--clients 64] [--requests 2000] [--threads 2] [--overload 10] [--idle 1000]

1. CLIENTS connections draw REQUESTS requests of 1 to 8 images. Every image must be the one that `halfstep sample` draws for
   its seed and class. The rate is compared with that of `halfstep bench` at batch 64, measured before and after.
2. OVERLOAD times as many clients: the answers must be 200 or 429, and the memory bounded.
3. IDLE connections that send nothing or half a request: others must be served.

Needs Python's standard library only.
"""

import argparse
import base64
import concurrent.futures
import http.client
import json
import pathlib
import random
import subprocess
import tempfile
import time

from serving import GENERATIONS, SECONDS, Server, levels_apart, pixels_of

SEEDS = 400
CLASSES = (0, 3)
LEVELS = 1


def bench_rate(program, options, steps):
    """Returns the images per second of `halfstep bench` at batch 64."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bench.json"
        subprocess.run([program, "bench", "--model", options.model, "--only", "sample", "--precision", "fp32", "--threads",
                        str(options.threads), "--json", path], check=True, capture_output=True)
        results = json.loads(path.read_text())["results"]
    return next(result["images_per_second"] for result in results
                if result["batch"] == 64 and result["steps"] == steps)


def reference(program, options, folder):
    """Returns the PNG files that `halfstep sample` writes, by seed and class."""
    files = {}
    for label in CLASSES:
        subprocess.run([program, "sample", "--model", options.model, "--seeds", f"0-{SEEDS - 1}", "--class", str(label),
                        "--precision", "fp32", "--threads", str(options.threads), "--outdir", folder / str(label)],
                       check=True, capture_output=True)
        for seed in range(SEEDS):
            files[seed, label] = (folder / str(label) / f"{seed:06}.png").read_bytes()
    return files


class Client:
    """A connection that stays open, and the answers that it got."""

    def __init__(self, server, number):
        self.random = random.Random(number)
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        self.answers = []  # (status, request, text, seconds)

    def draw(self):
        label = self.random.choice(CLASSES)
        seeds = [self.random.randrange(SEEDS) for _ in range(self.random.randint(1, 8))]
        begin = time.perf_counter()
        self.connection.request("POST", GENERATIONS, json.dumps({"seeds": seeds, "class": label}))
        response = self.connection.getresponse()
        text = response.read()
        self.answers.append((response.status, (seeds, label), text, time.perf_counter() - begin))


def run_clients(server, clients, requests):
    """Returns all answers of `clients` connections that make `requests` requests, and the seconds they took."""
    connections = [Client(server, number) for number in range(clients)]
    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        shares = [requests // clients + (number < requests % clients) for number in range(clients)]
        list(pool.map(lambda client, share: [client.draw() for _ in range(share)], connections, shares))
    seconds = time.perf_counter() - begin
    return [answer for client in connections for answer in client.answers], seconds


def check_images(answers, files):
    """Returns the number of images of the answers, and the largest difference to the files, in levels."""
    images, largest, known = 0, 0, {}
    for status, (seeds, label), text, _ in answers:
        if status != 200:
            continue
        data = json.loads(text)["data"]
        assert [image["seed"] for image in data] == seeds
        for image in data:
            png, file = base64.b64decode(image["b64_json"]), files[image["seed"], label]
            if png != file and (png, file) not in known:
                known[png, file] = levels_apart(pixels_of(png), pixels_of(file))
            largest = max(largest, known.get((png, file), 0))
            images += 1
    return images, largest


def quantiles(answers):
    times = sorted(seconds for status, _, _, seconds in answers if status == 200)
    return ", ".join(f"p{q} {1000 * times[min(len(times) - 1, len(times) * q // 100)]:.0f} ms" for q in (50, 95, 99))


def count(answers):
    statuses = [status for status, *_ in answers]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    for name, value in (("clients", 64), ("requests", 2000), ("threads", 2), ("overload", 10), ("idle", 1000)):
        parser.add_argument("--" + name, type=int, default=value)
    options = parser.parse_args()
    flags = ("--precision", "fp32", "--threads", options.threads)
    with tempfile.TemporaryDirectory() as name, Server(options.program, [options.model], *flags) as server:
        print(f"started in {server.start_seconds:.2f} s")
        steps = server.ask("GET", "/v1/models")[2]["data"][0]["steps"]
        files = reference(options.program, options, pathlib.Path(name))
        before = bench_rate(options.program, options, steps)
        run_clients(server, options.clients, options.clients)  # the first batches are slower
        answers, seconds = run_clients(server, options.clients, options.requests)
        after = bench_rate(options.program, options, steps)
        images, largest = check_images(answers, files)
        assert count(answers) == {200: options.requests}, count(answers)
        assert largest <= LEVELS, f"{largest} levels apart"
        rate, peak = images / seconds, (before + after) / 2
        print(f"{options.clients} clients: {options.requests} requests, {images} images in {seconds:.1f} s; "
              f"{quantiles(answers)}; largest difference {largest} of 255")
        print(f"{rate:.0f} images/s, {rate / peak:.2f} of the {peak:.0f} of bench (before {before:.0f}, after {after:.0f}); "
              f"{server.memory():.0f} MiB")

        many = options.clients * options.overload
        answers, seconds = run_clients(server, many, 2 * many)
        images, largest = check_images(answers, files)
        assert set(count(answers)) <= {200, 429} and count(answers)[200] > 0, count(answers)
        assert largest <= LEVELS
        print(f"{many} clients: answers {count(answers)}, {images / seconds:.0f} images/s; {quantiles(answers)}; "
              f"{server.memory():.0f} MiB")

        held = [server.connect() for _ in range(options.idle)]
        for connection in held[::2]:
            connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nContent-Le")
        answers, seconds = run_clients(server, options.clients, options.requests // 4)
        assert count(answers) == {200: options.requests // 4}, count(answers)
        print(f"with {options.idle} idle connections: {quantiles(answers)}; {server.memory():.0f} MiB")
        for connection in held:
            connection.close()
        assert server.stop()[0] == 0


if __name__ == "__main__":
    main()
