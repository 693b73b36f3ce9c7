"""The kinds of input that mutate.py damages: valid files, how the program reads them, and how to damage their contents."""

import dataclasses
import io
import json
import pathlib
import shutil
import struct
import subprocess
import zipfile
import zlib

from tiny_runs import checksum

TESTS = pathlib.Path(__file__).parent.parent
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1, 2**32, 2**63)
WORDS = ("null", "true", "[]", "{}", "-1", "0", "1e999", "-1e-999", "1e308", "4294967296", "9223372036854775807", "NaN", "Infinity",
         '""', '"\\u0000"', '"' + "x" * 100_000 + '"', "[" * 200, "[" * 50 + "]" * 50, '"../../x"', '"\\u001b[2J"')


@dataclasses.dataclass
class Input:
    """What a kind of input consists of and how the program reads it."""
    seeds: list       # valid contents, bytes
    name: str         # of the file to write, in a folder of its own
    command: object   # a function of the file's path that returns the program's arguments
    wrap: object = staticmethod(lambda contents: contents)  # makes the file of mutated contents
    mutate: object = None                                   # a function of (contents, rng); default: random bytes
    around: pathlib.Path = None                             # a folder to whose copy the file is written
    runs: bool = False  # the program prints its progress, and may be interrupted because the file asks for a long run


KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def mutate_bytes(contents, rng):
    """Returns contents with one to three random changes."""
    contents = bytearray(contents)
    for _ in range(rng.randint(1, 3)):
        if not contents:
            break
        at = rng.randrange(len(contents))
        many = rng.randint(1, 16)
        way = rng.randrange(7)
        if way == 0:
            contents[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            contents[at] = rng.randrange(256)
        elif way == 2:
            number = struct.pack(rng.choice("<>") + "Q", rng.choice(NUMBERS))[:rng.choice((1, 2, 4, 8))]
            contents[at:at + len(number)] = number
        elif way == 3:
            del contents[at:at + many]
        elif way == 4:
            contents[at:at] = contents[rng.randrange(len(contents)):][:many]
        elif way == 5:
            contents[at] = rng.choice(b"0123456789")
        else:
            del contents[at:]
    return bytes(contents)


def mutate_json(contents, rng):
    """Returns the text with a value replaced, a member doubled, or random bytes changed."""
    text = contents.decode()
    ends = [i for i, c in enumerate(text) if c in ",]}:"]
    if not ends or rng.random() < 0.4:
        return mutate_bytes(contents, rng)
    end = rng.choice(ends)
    begin = max(text.rfind(c, 0, end) for c in "[{,:") + 1
    if rng.random() < 0.8:
        return (text[:begin] + rng.choice(WORDS) + text[end:]).encode()
    return (text[:end] + "," + text[begin:end] + text[end:]).encode()


def png(side=8, value=90):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes((value,)) * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


NAMES = ("00000/img00000000.png", "00000/img00000001.png")
LABELS = json.dumps({"labels": [[NAMES[0], 0], [NAMES[1], 1]], "class_names": ["cat", "dog"]}).encode()
CONFIG = {"output": "v", "conditional": True,
          "network": {"image_size": 8, "in_channels": 1, "num_classes": 2, "ch": 32, "emb_ch": 32, "ch_mult": [1],
                      "num_res_blocks": 1, "attn_resolutions": []},
          "train": {"batch": 2, "lr": 1e-3, "updates": 1, "precision": "fp32"},
          "distill": {"method": "halving", "batch": 2, "start_steps": 8, "end_steps": 2, "updates_per_stage": 1}}


def zip_of(files, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, contents in files:
            archive.writestr(name, contents)
    return file.getvalue()


def image_folder(folder):
    for k, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(value=40 + k))
    (folder / "dataset.json").write_bytes(LABELS)
    return folder


@kind
def zip_file(folder, _):
    files = [(name, png()) for name in NAMES] + [("dataset.json", LABELS)]
    return Input([zip_of(files), zip_of(files, zipfile.ZIP_DEFLATED)], "x.zip", lambda path: ["info", path])


@kind
def dataset_json(folder, _):
    images = [(name, png()) for name in NAMES]
    return Input([LABELS, b'{"labels": [["%s", [0, 1]], ["%s", [1, 0]]]}' % tuple(name.encode() for name in NAMES)], "x.zip",
                 lambda path: ["info", path], lambda text: zip_of(images + [("dataset.json", text)], zipfile.ZIP_DEFLATED),
                 mutate_json)


@kind
def config(folder, _):
    data = image_folder(folder / "data")
    return Input([json.dumps(CONFIG).encode()], "x.json",
                 lambda path: ["train", "--config", path, "--data", data, "--outdir", folder / "runs", "--dry-run"],
                 mutate=mutate_json)


def trained_run(folder, program):
    """Trains for one update and returns the run's folder."""
    (folder / "config.json").write_text(json.dumps(CONFIG))
    data = image_folder(folder / "data")
    subprocess.run([program, "train", "--config", folder / "config.json", "--data", data, "--outdir", folder / "runs"],
                   check=True, capture_output=True)
    return next((folder / "runs").iterdir())


@kind
def model_spec(folder, program):
    model = (trained_run(folder, program) / "model.safetensors").read_bytes()
    length, = struct.unpack("<Q", model[:8])
    header, data = json.loads(model[8:8 + length]), model[8 + length:]
    del header["__metadata__"]["halfstep.sha256"]  # without its hash, a damaged spec is read

    def with_spec(spec):
        try:
            header["__metadata__"]["halfstep"] = spec.decode()
        except UnicodeDecodeError:
            header["__metadata__"]["halfstep"] = spec.decode("latin1")
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + data

    return Input([header["__metadata__"]["halfstep"].encode()], "x.safetensors", lambda path: ["info", path], with_spec, mutate_json)


@kind
def model_header(folder, program):
    model = (trained_run(folder, program) / "model.safetensors").read_bytes()
    length, = struct.unpack("<Q", model[:8])
    return Input([model[:8 + length]], "x.safetensors", lambda path: ["info", path], lambda head: head + model[8 + length:])


@kind
def onnx_metadata(folder, program):
    file = folder / "x.onnx"
    subprocess.run([program, "convert", "--from", trained_run(folder, program), "--steps", "2", "--to", file], check=True,
                   capture_output=True)
    contents = file.read_bytes()
    begin = contents.rindex(b"\x0a\x08halfstep\x12") - 16  # behind the graph
    return Input([contents[begin:]], "x.onnx", lambda path: ["info", path], lambda tail: contents[:begin] + tail)


def lmdb_of(files, page=4096):
    """Returns the data.mdb of an LMDB environment in which all files, sorted by name, fit in one leaf page."""
    nodes = [struct.pack("<HHHH", len(value), 0, 0, len(name)) + name.encode() + value for name, value in files]
    nodes = [node + bytes(len(node) % 2) for node in nodes]
    ends = [page - sum(map(len, nodes[:k])) for k in range(1, len(nodes) + 1)]
    leaf = struct.pack("<QHHHH", 2, 0, 2, 16 + 2 * len(nodes), ends[-1]) + struct.pack(f"<{len(nodes)}H", *ends)
    database = struct.pack("<IHHQQQQQ", 0, 0, 1, 0, 1, 0, len(nodes), 2)
    free = struct.pack("<IHHQQQQQ", page, 0, 0, 0, 0, 0, 0, 2**64 - 1)
    metas = [struct.pack("<QHHHHIIQQ", k, 0, 8, 0, 0, 0xBEEFC0DE, 1, 0, 1 << 20) + free + database + struct.pack("<QQ", 2, k)
             for k in range(2)]
    return b"".join(meta.ljust(page, b"\0") for meta in metas) + leaf.ljust(ends[-1], b"\0") + b"".join(reversed(nodes))


@kind
def lmdb(*_):
    """Has two images; the seeds of the fuzzer have branch and overflow pages."""
    seeds = [path.read_bytes() for path in sorted((TESTS / "fuzz" / "corpus" / "lmdb").glob("*.mdb"))]
    return Input([lmdb_of([(name, png()) for name in NAMES]), *seeds], "data.mdb", lambda path: ["info", path])


def with_checksum(text):
    """Returns the JSON text with its right checksum, so that the program reads on, or the text itself if it is no object."""
    try:
        value = json.loads(text)
        return json.dumps(value | {"checksum": checksum(value)}).encode()
    except (ValueError, TypeError, RecursionError):
        return text


def run_kind(name, *how):
    """Makes the kind of the file NAME of a run that is to be resumed for another update."""
    def make(folder, program):
        run = trained_run(folder, program)
        return Input([(run / name).read_bytes()], name, lambda path: ["resume", path.parents[name.count("/")], "--updates", "2"], *how,
                     around=run, runs=True)
    return make


def distilled_options(folder, program):
    teacher = trained_run(folder, program)
    subprocess.run([program, "distill", "--config", folder / "config.json", "--data", folder / "data", "--teacher", teacher,
                    "--outdir", folder / "distilled"], check=True, capture_output=True)
    run = next((folder / "distilled").iterdir())
    return Input([(run / "options.json").read_bytes()], "options.json", lambda path: ["resume", path.parent], with_checksum,
                 mutate_json, run, True)


KINDS["run_options"] = run_kind("options.json", with_checksum, mutate_json)
KINDS["run_distill_options"] = distilled_options
KINDS["run_manifest"] = run_kind("state/slot-0/manifest.json", with_checksum, mutate_json)
KINDS["run_tensors"] = run_kind("state/slot-0/tensors.safetensors")
KINDS["run_stats"] = run_kind("stats.jsonl")


def report_stats(folder, program):
    run = trained_run(folder, program)
    return Input([(run / "stats.jsonl").read_bytes()], "stats.jsonl", lambda path: ["report", path.parent], mutate=mutate_json,
                 around=run)


KINDS["report_stats"] = report_stats


def diffusers_kind(name):
    """Makes the kind of the file NAME of an exported pipeline."""
    def make(folder, program):
        pipeline = folder / "pipeline"
        subprocess.run([program, "convert", "--from", trained_run(folder, program), "--to", pipeline], check=True, capture_output=True)
        return Input([(pipeline / name).read_bytes()], name,
                     lambda path: ["convert", "--from", path.parents[name.count("/")], "--to", folder / "x.safetensors"],
                     mutate=mutate_json, around=pipeline)
    return make


for file in ("model_index.json", "unet/config.json", "scheduler/scheduler_config.json"):
    KINDS["diffusers_" + pathlib.Path(file).stem] = diffusers_kind(file)


def image_kind(pattern):
    def make(*_):
        files = sorted((TESTS / "io" / "data").glob(pattern))
        seeds = [path.read_bytes() for path in files if path.name != "float.tif"]  # which is refused as it is
        return Input(seeds, "x" + pattern[1:], lambda path: ["info", path.parent])
    return make


for extension in ("png", "jpg", "webp", "gif", "tif", "bmp"):
    KINDS["image_" + extension] = image_kind("*." + extension)
