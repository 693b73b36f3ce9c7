"""Tests of check_layers.py."""

import unittest

import source_tree
from check_layers import check


def problems(files):
    return source_tree.problems(check, {f"src/halfstep/{name}": text for name, text in files.items()})


class CheckLayers(unittest.TestCase):
    def test_allows_lower_layers_and_the_layer_itself(self):
        self.assertEqual(
            problems({
                "core/a.h": "#include <ATen/ATen.h>\n",
                "diffusion/b.h": '#include "halfstep/core/a.h"\n',
                "diffusion/c.h": '#include "halfstep/diffusion/b.h"\n',
                "train/d.cc": '#include "halfstep/diffusion/c.h"\n',
            }), [])

    def test_refuses_a_higher_layer(self):
        [problem] = problems({"train/a.h": "", "diffusion/b.h": '#include "halfstep/train/a.h"\n'})
        self.assertIn("diffusion must not include halfstep/train/a.h", problem)

    def test_refuses_io_in_networks(self):
        self.assertEqual(len(problems({"io/a.h": "", "nn/b.h": ' # include "halfstep/io/a.h"\n'})), 1)

    def test_refuses_torch_behind_io(self):
        [problem] = problems({"core/a.h": "#include <c10/core/Device.h>\n",
                              "io/b.cc": '#include "halfstep/core/a.h"\n'})
        self.assertIn("io must not depend on LibTorch", problem)

    def test_refuses_all_of_torch(self):
        self.assertEqual(len(problems({"nn/a.h": "#include <torch/torch.h>\n"})), 1)

    def test_refuses_unknown_layers_and_files(self):
        self.assertEqual(len(problems({"utils/a.h": ""})), 1)
        self.assertEqual(len(problems({"core/a.h": '#include "halfstep/core/gone.h"\n'})), 1)


if __name__ == "__main__":
    unittest.main()
