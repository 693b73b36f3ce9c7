#!/usr/bin/env python3
"""Checks the pages that `halfstep report` writes for real runs: valid HTML with the content of the run's files.

    report_test.py PROGRAM
"""

import base64
import json
import re
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

from program import Workspace, stats_of

EVALUATION = Path(__file__).with_name("made_up_evaluation.json")
WITHOUT_END = {"meta", "img", "wbr", "input"}
# Elements that separate words.
SEPARATE = {"td", "th", "li", "dt", "dd", "p", "figcaption", "h1", "h2", "h3", "b", "pre", "text", "title"}
# Attributes that load something, which a self-contained page must not do.
LINKS = {"src", "href", "srcset", "xlink:href", "action", "poster", "data"}


class Page(HTMLParser):
    """Checks that tags nest, and collects the content of a page."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.pictures, self.exact, self.problems = [], [], [], [], []
        self.words, self.style, self.doctype = "", "", ""
        self.feed(html)
        self.close()
        if self.open:
            self.problems.append(f"never closed: {self.open}")

    def handle_decl(self, decl):
        self.doctype = decl

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"duplicate attribute: <{tag} {names}>")
        attributes = dict(attrs)
        for name in LINKS & attributes.keys():
            if tag == "img" and attributes[name].startswith("data:image/png;base64,"):
                self.pictures.append(base64.b64decode(attributes[name].split(",", 1)[1], validate=True))
            else:
                self.problems.append(f"<{tag} {name}={attributes[name][:50]}>")
        if tag == "img" and not attributes.get("alt"):
            self.problems.append("a picture without alternative text")
        if tag == "data":
            self.exact.append(float(attributes["value"]))
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> inside {self.open}")
        else:
            self.open.pop()
        if tag in SEPARATE:
            self.words += " "

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.words += data


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.workspace = Workspace(PROGRAM, cls.folder.name)
        cls.training = cls.workspace.train("--updates", "12")
        cls.run_folder = cls.workspace.distill(cls.training / "model.safetensors", "--updates-per-stage",
                                               "6", "--last-updates", "9")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def page_of(self, run, *more):
        path = Path(self.workspace.run([PROGRAM, "report", run, *more]).strip())
        page = Page(path.read_text(encoding="utf-8"))
        self.assertEqual(page.problems, [])
        self.assertEqual(page.doctype, "DOCTYPE html")
        self.assertNotIn("script", page.tags)
        self.assertNotRegex(page.style, r"url\(|@import")
        self.assertNotRegex(page.words, r"\bnan\b|\binf\b")
        for once in ("html", "head", "body", "h1", "main"):
            self.assertEqual(page.tags.count(once), 1, once)
        return page

    def test_a_distillation_shows_every_stage_and_embeds_its_picture(self):
        page = self.page_of(self.run_folder)
        names = ("teacher-8.png", "stage-0004/samples.png", "stage-0002/samples.png", "teacher-2.png")
        self.assertEqual(page.pictures[-4:], [(self.run_folder / name).read_bytes() for name in names])
        self.assertEqual(len(page.pictures), 8, "and one row of images each")
        self.assertEqual(page.tags.count("input"), 8, "each can be enlarged")
        self.assertIn(f"{PROGRAM} distill --config {self.workspace.folder}/tiny.json", page.words)
        for words in (self.run_folder.name, "8 \u2192 4 \u2192 2 sampling steps", "8 \u2192 4 steps",
                      "4 \u2192 2 steps", "2 halvings, 15 updates of 8 images"):
            self.assertIn(words, page.words)
        self.assertNotIn("Unfinished", page.words)
        self.assertEqual(page.tags.count("svg"), 3, "one loss chart per stage, and the speed chart")

    def test_time_and_work_match_the_stats(self):
        page = self.page_of(self.run_folder)
        lines = stats_of(self.run_folder)
        first, last = lines[5]["seconds"], lines[-1]["seconds"]
        flops = float(re.search(r"([\d.]+) MFLOP per forward call", page.words).group(1)) * 1e6
        for seconds, updates in ((first, 6), (last - first, 9), (last, 15)):
            at = min(range(len(page.exact)), key=lambda i: abs(page.exact[i] - seconds))
            self.assertAlmostEqual(page.exact[at], seconds, places=9)
            images_per_second, work = page.exact[at + 1:at + 3]
            self.assertAlmostEqual(images_per_second, 8 * updates / seconds, delta=1e-6 * images_per_second)
            self.assertAlmostEqual(work, 5 * 8 * updates * flops, delta=0.01 * work)

    def test_settings_and_environment_match_the_run(self):
        page = self.page_of(self.run_folder)
        options = json.loads((self.run_folder / "options.json").read_text())
        for key in [*options["update"], *options["distill"]]:
            self.assertIn(key, page.words)
        manifest = max((json.loads(path.read_text()) for path in self.run_folder.glob("state/*/manifest.json")),
                       key=lambda manifest: manifest["total_updates"])
        for key, value in manifest["fingerprint"].items():
            self.assertIn(f"{key} {value}", page.words)
        self.assertIn((self.run_folder / "log.txt").read_text(), page.words)

    def test_every_number_of_an_evaluation_is_shown(self):
        page = self.page_of(self.run_folder, "--evaluation", EVALUATION)
        evaluation = json.loads(EVALUATION.read_text())
        for result in evaluation["results"]:
            self.assertIn(result["samples"], page.words)
            for key, value in result.items():
                if isinstance(value, float):
                    self.assertIn(value, page.exact, key)
                    if key != "seconds":
                        self.assertIn(f"{value:.4g}", page.words, key)
                elif isinstance(value, int):
                    self.assertRegex(page.words, rf"\b{value:,}\b|\b{value}\b", key)
        for words in ("FD-made-up", "made-up-network", "/made/up/<dots> & more", "(test)", "10,000", "5,000 images",
                      "distilled, ddim", "made-up-teacher, heun", "made-up-teacher, ddim"):
            self.assertIn(words, page.words)
        self.assertEqual(page.tags.count("svg"), 3 + 2 + 3, "the chart in two sizes, and the keys of its legend")

    def test_a_training_has_a_page(self):
        page = self.page_of(self.training)
        self.assertEqual(page.pictures, [(self.training / "samples.png").read_bytes()])
        self.assertIn("12 updates of 8 images", page.words)

    def test_snapshots_are_shown_in_order_of_their_updates(self):
        run = self.workspace.train("--updates", "7", "--snapshot-every", "3")
        page = self.page_of(run)
        self.assertRegex(page.words, r"Snapshots of training\s+update 3\s+update 6\s+All samples")
        self.assertEqual(len(page.pictures), 3, "a row of each snapshot, and the grid of the model")
        for update in (3, 6):
            self.assertTrue((run / f"snapshot-{update:08}" / "samples.png").exists())

    def test_an_interrupted_run_says_so(self):
        run = self.workspace.folder / "cut"
        run.mkdir()
        for name in ("options.json", "log.txt"):
            (run / name).write_bytes((self.run_folder / name).read_bytes())
        lines = (self.run_folder / "stats.jsonl").read_text().splitlines(keepends=True)
        (run / "stats.jsonl").write_text("".join(lines[:4]) + lines[4][:30])
        page = self.page_of(run)
        self.assertIn("Unfinished: 4 of 15 updates recorded.", page.words)
        self.assertIn("4 \u2192 2 steps has not begun", page.words)
        self.assertEqual(page.pictures, [])


if __name__ == "__main__":
    PROGRAM = Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
