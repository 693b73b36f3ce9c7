"""Creates the valid files of tests/fuzz/corpus: small seeds of every format for the fuzzers.

    python tests/fuzz/make_corpus.py

Files called found-* are findings of the fuzzers and are not created here.
"""

import gzip
import io
import json
import pathlib
import shutil
import struct
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "io" / "data"
FROM_DATA = {"safetensors": ["*.safetensors"], "npy": ["*.npy"], "npz": ["*.npz"],
             "image": ["*.png", "*.jpg", "*.webp", "*.gif", "*.tif", "*.bmp"]}
DATE = (1980, 1, 1, 0, 0, 0)


def put(target, name, contents):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(contents)


def zip_of(files, method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, contents in files.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), contents, method)
    return file.getvalue()


def tar_of(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, contents in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))
    return file.getvalue()


def idx_of(shape, values):
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + bytes(values)


# The parts of a flax checkpoint in MessagePack. All sizes must be below 16.
def msgpack_map(entries):
    return bytes([0x80 + len(entries)]) + b"".join(msgpack_text(key) + value for key, value in entries.items())


def msgpack_text(text):
    return bytes([0xA0 + len(text)]) + text.encode()


def msgpack_array(shape, dtype, data, kind=1):
    payload = b"\x93" + bytes([0x90 + len(shape), *shape]) + msgpack_text(dtype) + b"\xc4" + bytes([len(data)]) + data
    return b"\xc7" + bytes([len(payload), kind]) + payload


for target, patterns in FROM_DATA.items():
    for pattern in patterns:
        for path in sorted(DATA.glob(pattern)):
            put(target, path.name, path.read_bytes())
header = json.dumps({"a": {"dtype": "U8", "shape": [0, 3], "data_offsets": [0, 0]}}).encode()
put("safetensors", "empty_tensor.safetensors", struct.pack("<Q", len(header)) + header)

png = (DATA / "rgb.png").read_bytes()
names = ["00000/img00000000.png", "00000/img00000001.png"]
for kind, labels in {"numbers": [[names[0], 0], [names[1], 6]],
                     "vectors": [[names[0], [0, 1]], [names[1], [1, 0]]],
                     "none": None}.items():
    text = json.dumps({"labels": labels}).encode()
    put("image_zip", f"{kind}.zip",
        zip_of({names[0]: png, names[1]: png, "dataset.json": text},
               zipfile.ZIP_DEFLATED if kind == "vectors" else zipfile.ZIP_STORED))
put("image_zip", "folders.zip", zip_of({"cat/a.png": png, "dog/b.png": png}, zipfile.ZIP_DEFLATED))

put("dataset_json", "numbers.json", b'{"labels": [["a.png", 0], ["b.png", 6]]}')
put("dataset_json", "vectors.json", b'{"labels": [["b.png", [0, 1.0]], ["a.png", [1, 0]]]}')
put("dataset_json", "names.json", b'{"class_names": ["x", "y"], "labels": [["a.png", 0], ["b.png", 1]]}')
put("dataset_json", "none.json", b'{"labels": null}')

kernel = msgpack_array([2, 3], "float32", bytes(range(24)))
put("flax_checkpoint", "small", msgpack_map({
    "step": b"\x7b", "optimizer": b"\xc0", "ema_params": msgpack_map({"down_0.conv1": msgpack_map({"kernel": kernel})}),
    "scalar": msgpack_array([], "int32", bytes(4), 3)}))
put("flax_checkpoint", "list", msgpack_map({"a": b"\x92" + kernel + b"\x05"}))

put("idx", "images", idx_of([2, 3, 4], range(24)))
put("idx", "labels", idx_of([5], range(5)))

cifar = {"cifar-10-batches-bin/data_batch_1.bin": bytes(64), "cifar-10-batches-bin/readme.html": b"<p>"}
put("tar_gz", "plain.tar", tar_of(cifar))
put("tar_gz", "packed.tar.gz", gzip.compress(tar_of(cifar), mtime=0))

put("fields", "all.json", json.dumps({
    "boolean": True, "whole": -3, "positive": 3, "number": 2.5, "text": "x", "path": "/a", "maybe": None,
    "list": [1, 2]}).encode())
put("fields", "wrong.json", b'{"whole": 1.5, "maybe": "x"}')


# Fields of protocol buffers of less than 128 bytes.
def proto(field, value):
    if isinstance(value, int):
        return bytes([field << 3, value])
    data = value.encode() if isinstance(value, str) else value
    return bytes([field << 3 | 2, len(data)]) + data


graph = proto(7, proto(1, proto(1, "x") + proto(2, "y") + proto(4, "Identity")) + proto(2, "graph"))
entries = [proto(14, proto(1, key) + proto(2, value)) for key, value in [("halfstep", "{}"), ("author", "")]]
put("onnx_metadata", "last.onnx", proto(1, 8) + graph + proto(8, proto(2, 17)) + b"".join(entries))
put("onnx_metadata", "first.onnx", entries[0] + proto(1, 8) + graph + entries[1])

BODY = b'{"model": "cats", "n": 2, "seed": 3, "size": "28x28", "response_format": "b64_json", "class": "tiger"}'
put("image_request", "all.json", BODY)
put("image_request", "seeds.json", b'{"model": "plain", "prompt": "", "seeds": [1, 2, 3], "guidance": 1.0, "format": "webp"}')
put("http_request", "get", b"GET /v1/jobs/%30?a=b HTTP/1.1\r\nHost: localhost:8000\r\nAccept-Encoding: gzip\r\n\r\n")
put("http_request", "post", b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY + b"GET / HTTP/1.0\r\nRange: bytes=0-1,4-\r\n\r\n")
