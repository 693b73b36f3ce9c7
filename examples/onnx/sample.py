#!/usr/bin/env python3
"""Draws the images of `halfstep sample` with ONNX Runtime, from a file that `halfstep convert` wrote:

    halfstep convert --from models/fashion-4-steps --to student.onnx
    pip install numpy onnxruntime pillow
    python sample.py student.onnx --seeds 0-15 --class 8 --grid grid.png
"""

import argparse
import json
import sys

import numpy
import onnxruntime
from PIL import Image

# What a number is drawn for, in halfstep's random numbers.
SAMPLE_NOISE, SAMPLE_LABEL, STEP_NOISE = 7, 8, 10


def philox(counter, key):
    """Returns Philox 4x32-10 (Salmon et al. 2011): four uint32 words for each counter."""
    c = [numpy.asarray(word, dtype=numpy.uint64) for word in counter]
    k = [int(word) for word in key]
    low = numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = numpy.uint64(0xD2511F53) * c[0], numpy.uint64(0xCD9E8D57) * c[2]
        high_a, high_b = a >> numpy.uint64(32), b >> numpy.uint64(32)
        c = [high_b ^ c[1] ^ numpy.uint64(k[0]), b & low, high_a ^ c[3] ^ numpy.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def random_words(seed, purpose, blocks, site=0):
    """Returns `blocks` times four random words of a seed, as [blocks, 4]."""
    a = philox((purpose, site, 0, 0), (seed & 0xFFFFFFFF, seed >> 32))
    words = philox((numpy.arange(blocks), 0, a[2], a[3]), (a[0], a[1]))
    return numpy.stack([numpy.broadcast_to(word, blocks) for word in words], axis=1)


def noise_of_seed(seed, shape, purpose, site=0):
    """Returns normal numbers, by the Box-Muller transform. `site` is 0, or the number of the step, from N down to 2."""
    size = int(numpy.prod(shape))
    words = random_words(seed, purpose, -(-size // 4), site).reshape(-1, 2).astype(numpy.float64)
    radius = numpy.sqrt(-2 * numpy.log((words[:, 0] + 0.5) / 2**32))
    turn = 2 * numpy.pi * words[:, 1] / 2**32
    pairs = numpy.stack([radius * numpy.cos(turn), radius * numpy.sin(turn)], axis=1)
    return pairs.reshape(-1)[:size].reshape(shape).astype(numpy.float32)


def label_of_seed(seed, classes):
    """Returns a class, uniformly distributed."""
    low, high = (int(word) for word in random_words(seed, SAMPLE_LABEL, 1)[0, :2])
    return (high << 32 | low) * classes >> 64


def enlarged(x, factor):
    """Enlarges images [C, H, W] by bicubic interpolation (Keys 1981, with a = -0.75); the pixels at the edges repeat."""
    def matrix(size):
        position = (numpy.arange(factor * size) + 0.5) / factor - 0.5
        weights = numpy.zeros((factor * size, size))
        for tap in range(-1, 3):
            index = numpy.floor(position) + tap
            d = numpy.abs(position - index)
            weight = numpy.where(d <= 1, (1.25 * d - 2.25) * d * d + 1, ((-0.75 * d + 3.75) * d - 6) * d + 3)
            numpy.add.at(weights, (numpy.arange(factor * size), numpy.clip(index, 0, size - 1).astype(int)), weight)
        return weights
    return numpy.clip(matrix(x.shape[1]) @ x @ matrix(x.shape[2]).T, -1, 1)


def condition_of(spec, image, mask):
    """Returns what is known of an image, [1, K, H, W], for a model that restores images. Both are images of Pillow."""
    kind, _, factor = spec["condition"].partition(":")
    grey = kind == "colour" or spec["network"]["in_channels"] == 1
    x = numpy.asarray(image.convert("L" if grey else "RGB"), numpy.float32) / 127.5 - 1
    x = x[None] if grey else x.transpose(2, 0, 1)
    if kind == "super-resolution":
        x = enlarged(x, int(factor))
    elif kind == "inpainting":
        if mask is None:
            sys.exit("sample.py: expected --mask, whose white pixels are filled in, received none")
        known = numpy.asarray(mask.convert("L"))[None] < 128
        x = numpy.concatenate([x * known, known])
    return x[None].astype(numpy.float32)


def inputs_of_seeds(session, seeds, label, guidance, image=None, mask=None):
    """Returns what `halfstep sample --write-noise` writes for these seeds, and this image to restore."""
    spec = json.loads(session.get_modelmeta().custom_metadata_map["halfstep"])
    shapes = {value.name: value.shape for value in session.get_inputs()}
    shape = shapes["noise"][1:]
    inputs = {"noise": numpy.stack([noise_of_seed(seed, shape, SAMPLE_NOISE) for seed in seeds])}
    if "step_noise" in shapes:
        steps = range(shapes["step_noise"][0] + 1, 1, -1)
        inputs["step_noise"] = numpy.stack([numpy.stack([noise_of_seed(seed, shape, STEP_NOISE, step) for seed in seeds])
                                            for step in steps])
    if "class" in shapes:
        classes = spec["network"]["num_classes"]
        labels = [label_of_seed(seed, classes) if label is None else label for seed in seeds]
        inputs["class"] = numpy.array(labels, dtype=numpy.int64)
    if "guidance" in shapes:
        inputs["guidance"] = numpy.full(len(seeds), guidance, dtype=numpy.float32)
    if "condition" in shapes:
        if image is None:
            sys.exit("sample.py: expected --input, because the model restores images, received none")
        inputs["condition"] = condition_of(spec, image, mask).repeat(len(seeds), axis=0)
    return inputs


def pixels(images):
    """Returns x in [-1, 1], [N, C, H, W], as the nearest levels, uint8 [N, H, W, C]."""
    return numpy.clip(numpy.floor(images * 127.5 + 128), 0, 255).astype(numpy.uint8).transpose(0, 2, 3, 1)


def grid(images):
    """Arranges images in rows, separated by white lines."""
    count, height, width, channels = images.shape
    columns = int(numpy.ceil(numpy.sqrt(count)))
    rows = -(-count // columns)
    page = numpy.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), 255, numpy.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        page[top:top + height, left:left + width] = image
    return Image.fromarray(page.squeeze(2) if channels == 1 else page)


def seeds_of(text):
    """Parses a list such as 0-15 or 1,5,7-9."""
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help=".onnx file, without --network")
    parser.add_argument("--seeds", type=seeds_of, default="0-15", help="one image for each (default: 0-15)")
    parser.add_argument("--class", dest="label", type=int, help="number of a class, -1 for none (default: from each seed)")
    parser.add_argument("--guidance", type=float, default=1.0, help="weight, if the file takes it (default: 1)")
    parser.add_argument("--input", type=Image.open, help="the image to restore, if the model restores images")
    parser.add_argument("--mask", type=Image.open, help="with --input, for inpainting: white pixels are filled in")
    parser.add_argument("--noise", help="use the inputs in this .npz of halfstep sample --write-noise instead")
    parser.add_argument("--threads", type=int, default=0, help="default: one per core")
    parser.add_argument("--grid", default="grid.png", help="the .png to write (default: grid.png)")
    arguments = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    if [value.name for value in session.get_outputs()] != ["images"]:
        sys.exit(f"sample.py: expected a sampler, received the network alone in {arguments.model}")
    inputs = (dict(numpy.load(arguments.noise)) if arguments.noise
              else inputs_of_seeds(session, arguments.seeds, arguments.label, arguments.guidance, arguments.input,
                                   arguments.mask))
    images, = session.run(None, inputs)
    grid(pixels(images)).save(arguments.grid)
    print(arguments.grid)


if __name__ == "__main__":
    main()
