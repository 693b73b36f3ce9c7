"""Tests that check_markdown.py finds what it is meant to find, and nothing else."""

import unittest

import source_tree
from check_markdown import check


def problems(files):
    return source_tree.problems(check, files)


class CheckMarkdown(unittest.TestCase):
    def test_accepts_a_sound_document(self):
        self.assertEqual(
            problems({
                "README.md": "# Title\n[docs](docs/a.md#two-words) and ![plot](docs/b.png)\n",
                "docs/a.md": "# Two words\n`train/a.cc`, docs/a.md, Angle.Holds, Angle.\\*.\n",
                "docs/b.png": "",
                "src/halfstep/train/a.cc": "",
                "tests/a_test.cc": "TEST_F(Angle, Holds) {}\n",
            }), [])

    def test_reports_long_lines(self):
        [problem] = problems({"a.md": "short\n" + "word " * 21 + "\n"})
        self.assertIn("a.md:2: 105 characters", problem)

    def test_reports_long_commands(self):
        self.assertEqual(len(problems({"a.md": "    " + "word " * 20 + "\n"})), 1)

    def test_accepts_long_tables_urls_and_output(self):
        long = "word " * 30
        self.assertEqual(
            problems({
                "a.md": f"| {long} |\n\nhttps://example.org/{'x' * 100}\n\n```text\n{long}\n```\n"
            }), [])

    def test_reports_long_lines_after_output(self):
        self.assertEqual(len(problems({"a.md": "```text\n```\n" + "word " * 30 + "\n"})), 1)

    def test_reports_dead_links(self):
        [problem] = problems({"docs/a.md": "[text](b.md)\n"})
        self.assertIn("docs/a.md: dead link b.md", problem)

    def test_reports_dead_links_in_wrapped_text(self):
        self.assertEqual(len(problems({"a.md": "[two\nwords](b.md)\n"})), 1)

    def test_reports_dead_images(self):
        self.assertEqual(len(problems({"a.md": "![plot](plot.png)\n"})), 1)

    def test_reports_headings_that_do_not_exist(self):
        [problem] = problems({"a.md": "# One\n[text](#two)\n"})
        self.assertIn("no such heading", problem)

    def test_reports_source_paths_that_do_not_exist(self):
        [problem] = problems({"a.md": "It is in `train/gone.cc`.\n"})
        self.assertIn("there is no train/gone.cc", problem)

    def test_accepts_patterns_and_paths_of_others(self):
        self.assertEqual(
            problems({
                "a.md": "`nn/cpu_*.cc`, `unet/config.json`, RUN/model.pt, /usr/share/b.txt\n",
                "src/halfstep/nn/cpu_avx2.cc": "",
            }), [])

    def test_reports_tests_that_do_not_exist(self):
        self.assertEqual(
            problems({
                "a.md": "Tests: Angle.Holds, Angle.Gone, Gone.\\*, NAME.pt, Angle.Lost.\n",
                "tests/a.cc": "TEST(Angle, Holds)",
            }), [
                "a.md: there is no test Angle.Gone",
                "a.md: there is no test Angle.Lost",
                "a.md: there is no test Gone.*",
            ])

    def test_knows_tests_that_cmake_adds(self):
        self.assertEqual(
            problems({
                "a.md": "Install.Works\n",
                "tests/CMakeLists.txt": "add_test(NAME Install.Works COMMAND x)",
            }), [])


if __name__ == "__main__":
    unittest.main()
