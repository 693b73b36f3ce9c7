#!/usr/bin/env python3
"""Drives the program's server as its clients do, short form. load.py is the long one.

    serve_test.py HALFSTEP MODELS

Needs Python's standard library only.
"""

import concurrent.futures
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from serving import GENERATIONS, SECONDS, Server, levels_apart, sampled

SEEDS = list(range(8))
LEVELS = 1  # what the shape of a batch may change in fp32
FLAGS = ("--threads", "1", "--precision", "fp32")


def draws_what_sample_draws(program, models, folder):
    with Server(program, [models / "fashion-4-steps", "one=" + str(models / "fashion-1-step")], *FLAGS) as server:
        wanted = {}
        for name, path in (("fashion-4-steps", "fashion-4-steps"), ("one", "fashion-1-step")):
            for label in (None, "Bag"):
                flags = () if label is None else ("--class", label)
                wanted[name, label] = sampled(program, models / path, SEEDS, folder / f"{name}-{label}", *FLAGS, *flags)
        status, _, listed = server.ask("GET", "/v1/models")
        assert status == 200 and [model["id"] for model in listed["data"]] == ["fashion-4-steps", "one"], listed
        assert listed["data"][0]["steps"] == 4 and "Bag" in listed["data"][0]["classes"]

        def client(number):
            rng = random.Random(number)
            for _ in range(5):
                name, label = rng.choice(list(wanted))
                seeds = rng.sample(SEEDS, rng.randint(1, 8))
                body = {"model": name, "seeds": seeds, **({} if label is None else {"class": label})}
                images = server.draw(**body)
                assert list(images) == seeds, (body, images)
                for seed in seeds:
                    apart = levels_apart(images[seed], wanted[name, label][seed])
                    assert apart <= LEVELS, f"{body}: seed {seed} is {apart} levels apart"

        with concurrent.futures.ThreadPoolExecutor(12) as clients:
            list(clients.map(client, range(12)))
        metrics = server.ask("GET", "/metrics")[2]
        assert 'halfstep_requests_total{route="generations",code="200"} 60' in metrics, metrics
        guided = server.draw(model="one", seed=1, guidance=3.0)[1]
        alone = sampled(program, models / "fashion-1-step", [1], folder / "guided", *FLAGS, "--guidance", 3)[1]
        assert levels_apart(guided, alone) <= LEVELS
        code, log = server.stop()
        assert code == 0, log
        lines = [json.loads(line) for line in log]
        assert sum(line.get("images", 0) for line in lines) >= 60 and all(line["status"] == 200 for line in lines), log


def deterministic_images_have_the_same_bits(program, models, folder):
    model = models / "fashion-4-steps"
    wanted = sampled(program, model, SEEDS, folder, *FLAGS, "--batch", len(SEEDS))
    with Server(program, [model], *FLAGS, "--deterministic", "--batch", len(SEEDS)) as server:
        assert server.draw(seeds=SEEDS) == wanted
        assert server.draw(seeds=[5]) == {5: wanted[5]}
        assert server.draw(seeds=[7, 3, 3]) == {7: wanted[7], 3: wanted[3]}


def overload_is_refused_and_sigterm_finishes_the_rest(program, models):
    with Server(program, [models / "fashion-teacher"], *FLAGS, "--steps", 64, "--queue", 3, "--batch", 2) as server:
        with concurrent.futures.ThreadPoolExecutor(40) as clients:
            answers = [clients.submit(server.ask, "POST", GENERATIONS, {"seed": k}) for k in range(40)]
            while server.ask("GET", "/health")[2]["waiting"] < 3:
                time.sleep(0.01)
            concurrent.futures.wait(answers, return_when=concurrent.futures.FIRST_COMPLETED)
            server.process.send_signal(signal.SIGTERM)
            answers = [answer.result(SECONDS) for answer in answers]
        counts = {status: sum(answer[0] == status for answer in answers) for status in (200, 429)}
        assert counts[200] >= 3 and sum(counts.values()) == 40, counts
        assert all(int(headers["Retry-After"]) >= 1 for status, headers, _ in answers if status == 429)
        code, log = server.ended()
        assert code == 0, log


def hostile_clients_do_not_hinder_others(program, models):
    with Server(program, [models / "fashion-1-step"], *FLAGS) as server:
        before = server.memory()
        held = [server.connect() for _ in range(300)]
        for number, connection in enumerate(held):
            if number % 3 == 1:
                connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
            elif number % 3 == 2:
                connection.sendall(random.Random(number).randbytes(2000))
        assert list(server.draw(seed=3)) == [3]
        gone = server.connect()
        gone.sendall(f"POST {GENERATIONS} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        gone.close()
        for path in ("/../../etc/passwd", "/v1/jobs/../../../etc/passwd", "/%00", "/v1/models/x"):
            assert server.ask("GET", path)[0] == 404, path
        assert server.ask("POST", GENERATIONS, {"model": "/etc/passwd"})[0] == 404
        assert server.draw(n=65) == 400 and server.draw(seed=3, sed=4) == 400
        assert server.memory() < before + 100, (before, server.memory())
        for connection in held:
            connection.close()
        assert server.stop()[0] == 0


def keys_guard_other_hosts(program, models, folder):
    command = [program, "serve", "--model", models / "fashion-1-step", "--port", "0"]
    done = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2 and "--api-key-file" in done.stderr, done
    key = folder / "key"
    key.write_text("short\n")
    done = subprocess.run([*command, "--api-key-file", key], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2 and "16 to 1024" in done.stderr, done
    key.write_text("0123456789abcdef\n")
    with Server(program, [models / "fashion-1-step"], *FLAGS, "--host", "0.0.0.0", "--api-key-file", key) as server:
        assert server.ask("GET", "/v1/models")[0] == 401
        assert server.ask("GET", "/v1/models", headers={"Authorization": "Bearer 0123456789abcdef"})[0] == 200


def main():
    program, models = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        draws_what_sample_draws(program, models, folder)
        deterministic_images_have_the_same_bits(program, models, folder / "deterministic")
        overload_is_refused_and_sigterm_finishes_the_rest(program, models)
        hostile_clients_do_not_hinder_others(program, models)
        keys_guard_other_hosts(program, models, folder)


if __name__ == "__main__":
    main()
