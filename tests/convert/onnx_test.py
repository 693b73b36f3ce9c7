#!/usr/bin/env python3
"""ONNX Runtime computes from an exported file what halfstep computes from the model.

    onnx_test.py PROGRAM CASES SOURCE_FOLDER [OTHER_PYTHON] [--random COUNT] [--first SEED] [--verbose] [TEST...]

CASES is the program halfstep_onnx_cases. Tests every model in models/ and COUNT models with random options. Needs the
packages onnx, onnxruntime and pillow, of this Python or of OTHER_PYTHON; ends with 77 (skipped) where neither has them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy
    import onnx
    import onnxruntime
    from PIL import Image
except ImportError as error:
    other = sys.argv[4] if len(sys.argv) > 4 else ""
    if os.path.exists(other) and not os.environ.get("HALFSTEP_OTHER_PYTHON"):
        os.environ["HALFSTEP_OTHER_PYTHON"] = other  # so that it is tried once
        os.execv(other, [other, *sys.argv])
    print(f"skipped: {error}; pip install onnx onnxruntime pillow")
    sys.exit(77)

LARGEST_DIFFERENCE = 1e-4  # of x in [-1, 1], or relative to larger outputs
BATCHES = [1, 2, 5]


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{command}: {result.stderr}")
    return result.stdout


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def first(inputs, batch):
    return {name: value[:, :batch] if name == "step_noise" else value[:batch] for name, value in inputs.items()}


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = Path(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def expect_same(self, file):
        onnx.checker.check_model(str(file), full_check=True)
        model = onnx.load(file)
        self.assertEqual(model.SerializeToString(), file.read_bytes(), "protobuf would write other bytes")
        self.assertEqual((model.ir_version, [(o.domain, o.version) for o in model.opset_import]), (8, [("", 17)]))
        stored = dict(numpy.load(file.with_suffix(".npz")))
        expected = stored.pop("expected")
        session = session_of(file)
        self.assertEqual({i.name for i in session.get_inputs()}, set(stored))
        scale = max(1.0, numpy.abs(expected).max())
        self.assertGreater(expected.std(), 0.05, "equal numbers say nothing")
        worst = 0.0
        for batch in BATCHES:
            output, = session.run(None, first(stored, batch))
            self.assertEqual(output.shape, expected[:batch].shape)
            worst = max(worst, float(numpy.abs(output - expected[:batch]).max()))
        if ARGUMENTS.verbose:
            print(f"{file.name:40} {worst:.1e} of {scale:.3g}, {len(model.graph.node)} nodes", flush=True)
        self.assertLess(worst, LARGEST_DIFFERENCE * scale)
        return worst

    def expect_all_same(self, *command):
        folder = self.path / "-".join(Path(str(part)).name for part in command)
        folder.mkdir()
        run(ARGUMENTS.cases, folder, *command)
        files = sorted(folder.glob("*.onnx"))
        for file in files:
            with self.subTest(file.name):
                self.expect_same(file)
            file.unlink()
        return len(files)

    def test_models_with_random_options(self):
        count = self.expect_all_same("random", ARGUMENTS.first, ARGUMENTS.random)
        self.assertGreaterEqual(count, 2 * ARGUMENTS.random)

    def test_every_shipped_model(self):
        models = sorted(path.parent for path in (SOURCE / "models").glob("*/model.safetensors"))
        self.assertGreaterEqual(len(models), 6)
        for model in models:
            self.assertGreaterEqual(self.expect_all_same("model", model), 2)

    def test_the_command_line_and_the_example(self):
        student = self.path / "student.onnx"
        model = SOURCE / "models/fashion-4-steps"
        run(ARGUMENTS.program, "convert", "--from", model, "--to", student)
        seeds = ["--model", model, "--seeds", "3,0-8", "--precision", "fp32", "--threads", "1"]
        run(ARGUMENTS.program, "sample", *seeds, "--npz", self.path / "ours.npz", "--grid", self.path / "ours.png",
            "--write-noise", self.path / "noise.npz")
        ours = numpy.load(self.path / "ours.npz")
        noise = dict(numpy.load(self.path / "noise.npz"))
        numpy.testing.assert_array_equal(noise["class"], ours["arr_1"])
        images, = session_of(student).run(None, noise)
        theirs = numpy.clip(numpy.floor(images * 127.5 + 128), 0, 255).transpose(0, 2, 3, 1)
        difference = numpy.abs(theirs - ours["arr_0"])
        self.assertLessEqual(difference.max(), 1)
        self.assertLess((difference > 0).mean(), 0.01)

        run(sys.executable, SOURCE / "examples/onnx/sample.py", student, "--noise", self.path / "noise.npz",
            "--grid", self.path / "theirs.png", "--threads", "1")
        self.expect_same_grid("ours.png", "theirs.png")

        info = run(ARGUMENTS.program, "info", student)
        for line in ["contents    a sampler", "images      1 x 28 x 28", "classes     10 and the null class", "steps       4",
                     "guidance    1 (off)"]:
            self.assertIn(line, info)
        of_model = run(ARGUMENTS.program, "info", model)
        spec = lambda text: json.loads(text[text.index("spec") + 4:])
        self.assertEqual(spec(info), spec(of_model))
        stored = json.loads(session_of(student).get_modelmeta().custom_metadata_map["halfstep"])
        self.assertEqual(stored["class_names"][8], "Bag")

    def expect_same_grid(self, ours, theirs):
        grids = [numpy.asarray(Image.open(self.path / name)).astype(int) for name in [ours, theirs]]
        self.assertEqual(grids[0].shape, grids[1].shape)
        self.assertLessEqual(numpy.abs(grids[0] - grids[1]).max(), 1)

    def test_the_program_in_cpp(self):
        build = self.path / "build"
        configure = ["cmake", "-S", SOURCE / "examples/onnx", "-B", build, "-D", "CMAKE_BUILD_TYPE=Release"]
        if "ONNXRUNTIME_" in subprocess.run(configure, capture_output=True, text=True).stderr:
            self.skipTest("ONNX Runtime's headers or library are not installed")
        run("cmake", "--build", build)
        for name, options in {"fashion-4-steps": [], "cifar10-1-step": ["3"]}.items():
            model = SOURCE / "models" / name
            run(ARGUMENTS.program, "convert", "--from", model, "--to", self.path / "cpp.onnx")
            run(build / "sample", self.path / "cpp.onnx", "2-8", self.path / "cpp.png", *options)
            run(ARGUMENTS.program, "sample", "--model", model, "--seeds", "2-8", "--precision", "fp32", "--grid",
                self.path / "halfstep.png", *(["--class", *options] if options else []))
            self.expect_same_grid("halfstep.png", "cpp.png")
        run(ARGUMENTS.program, "convert", "--from", model, "--network", "--to", self.path / "network.onnx")
        refused = subprocess.run([build / "sample", self.path / "network.onnx", "2-8", self.path / "no.png"], capture_output=True,
                                 text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("expected a sampler of halfstep", refused.stderr)

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_the_page_has_the_same_inputs(self):
        model = SOURCE / "models/fashion-4-steps"
        run(ARGUMENTS.program, "convert", "--from", model, "--to", self.path / "page.onnx")
        run(ARGUMENTS.program, "sample", "--model", model, "--seeds", "0-8,18446744073709551615", "--write-noise",
            self.path / "page.npz")
        script = """
            import {readFileSync} from "node:fs";
            import {descriptionOf, inputsOfSeeds} from "%s/examples/onnx/halfstep.mjs";
            const description = descriptionOf(readFileSync("%s/page.onnx"));
            const inputs = inputsOfSeeds(description, [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 18446744073709551615n]);
            console.log(JSON.stringify(Object.entries(inputs).map(([name, {data, dims}]) =>
                [name, dims, Array.from(data, Number)])));
        """ % (SOURCE.resolve(), self.path)
        (self.path / "page.mjs").write_text(script)
        theirs = {name: numpy.array(values).reshape(shape)
                  for name, shape, values in json.loads(run("node", self.path / "page.mjs"))}
        ours = numpy.load(self.path / "page.npz")
        self.assertEqual(set(theirs), set(ours))
        for name in ours:
            numpy.testing.assert_allclose(theirs[name], ours[name], atol=1e-5)

    def test_the_example_has_the_same_inputs(self):
        sys.path.insert(0, str(SOURCE / "examples/onnx"))
        import sample
        model = SOURCE / "models/fashion-4-steps"
        run(ARGUMENTS.program, "convert", "--from", model, "--to", self.path / "seeds.onnx")
        run(ARGUMENTS.program, "sample", "--model", model, "--seeds", "5,0-3,18446744073709551615", "--write-noise",
            self.path / "seeds.npz")
        seeds = sample.seeds_of("5,0-3,18446744073709551615")
        theirs = sample.inputs_of_seeds(session_of(self.path / "seeds.onnx"), seeds, None, 1.0)
        ours = numpy.load(self.path / "seeds.npz")
        self.assertEqual(set(theirs), set(ours))
        for name in ours:
            numpy.testing.assert_allclose(theirs[name], ours[name], atol=1e-5)

    def test_the_example_restores_images(self):
        sys.path[:0] = [str(SOURCE / "examples/onnx"), str(SOURCE / "tests/report")]
        import program
        import sample
        config, data = self.path / "tiny.json", self.path / "dots.npy"
        config.write_text(json.dumps(program.CONFIG))
        program.write_images(data)
        generator = numpy.random.default_rng(0)
        for condition, size in {"super-resolution:2": 2, "inpainting": 4}.items():
            model = run(ARGUMENTS.program, "train", "--config", config, "--data", data, "--condition", condition, "--no-conditional",
                        "--outdir", self.path / "runs").strip()
            files = {name: self.path / f"{size}-{name}.png" for name in ["image", "mask"]}
            for file in files.values():
                Image.fromarray(generator.integers(256, size=(size, size), dtype=numpy.uint8)).save(file)
            run(ARGUMENTS.program, "convert", "--from", model, "--steps", "2", "--to", self.path / "restore.onnx")
            run(ARGUMENTS.program, "sample", "--model", model, "--steps", "2", "--seeds", "5,7", "--input", files["image"],
                *(["--mask", files["mask"]] if condition == "inpainting" else []), "--write-noise", self.path / "restore.npz")
            theirs = sample.inputs_of_seeds(session_of(self.path / "restore.onnx"), [5, 7], None, 1.0,
                                            *(Image.open(file) for file in files.values()))
            ours = numpy.load(self.path / "restore.npz")
            self.assertEqual(set(theirs), set(ours))
            for name in ours:
                numpy.testing.assert_allclose(theirs[name], ours[name], atol=1e-5)

    def test_classes_that_a_model_does_not_have_are_refused(self):
        run(ARGUMENTS.program, "convert", "--from", SOURCE / "models/fashion-1-step", "--to", self.path / "one.onnx")
        session = session_of(self.path / "one.onnx")
        noise = numpy.zeros((1, 1, 28, 28), "float32")
        null, = session.run(None, {"noise": noise, "class": numpy.array([-1])})
        same, = session.run(None, {"noise": noise, "class": numpy.array([-7])})
        numpy.testing.assert_array_equal(null, same)
        with self.assertRaisesRegex(Exception, "out of data bounds"):
            session.run(None, {"noise": noise, "class": numpy.array([11])})


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("cases")
    parser.add_argument("source", type=Path)
    parser.add_argument("other_python", nargs="?")
    parser.add_argument("--random", type=int, default=4)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_known_args()  # unittest has the others


if __name__ == "__main__":
    ARGUMENTS, rest = arguments()
    SOURCE = ARGUMENTS.source
    onnxruntime.set_default_logger_severity(3)
    unittest.main(argv=[sys.argv[0], *rest])
