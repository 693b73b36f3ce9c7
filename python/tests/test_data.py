"""Data sets in memory: what a run reads of them, and what it refuses."""

import unittest

import torch
from halfstep._data import Examples

import halfstep


class Listed:
    """A map-style data set of the given examples."""

    def __init__(self, examples, **attributes):
        self.examples = examples
        for name, value in attributes.items():
            setattr(self, name, value)

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        return self.examples[index]


IMAGE = torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2)


class ExamplesTest(unittest.TestCase):
    def assert_refused(self, words, examples, **attributes):
        with self.assertRaises(halfstep.ConfigError) as caught:
            read = Examples(Listed(examples, **attributes))
            for index in range(len(examples)):
                read.read(index)
        for word in ("expected", "received", *words):
            self.assertIn(word, str(caught.exception))

    def test_the_three_forms_of_an_example_are_the_same(self):
        for examples in ([IMAGE] * 2, [(IMAGE, 1)] * 2, [{"image": IMAGE, "label": 1}] * 2):
            read = Examples(Listed(examples, num_classes=2))
            image, label = read.read(1)
            self.assertTrue(torch.equal(image, IMAGE))
            self.assertEqual(label, -1 if examples[0] is IMAGE else 1)
            self.assertEqual(read.images, True)
            self.assertEqual(read.num_classes, 0 if examples[0] is IMAGE else 2)

    def test_numbers_become_float32_and_contiguous(self):
        for number in (torch.float64, torch.float16):
            image = IMAGE.to(number).transpose(0, 2)
            read, _ = Examples(Listed([image])).read(0)
            self.assertEqual(read.dtype, torch.float32)
            self.assertTrue(read.is_contiguous())
            self.assertTrue(torch.equal(read, IMAGE.float().transpose(0, 2)))

    def test_names_of_classes_are_those_of_the_data_set(self):
        read = Examples(Listed([(IMAGE, 1)], classes=["cat", "dog"]))
        self.assertEqual((read.num_classes, read.class_names), (2, ["cat", "dog"]))

    def test_what_it_refuses(self):
        self.assert_refused(["examples", "none"], [])
        self.assert_refused(["example 0", "[1 or 3, H, W]"], [IMAGE[:2]])
        self.assert_refused(["example 1", "[3, 2, 2]", "[1, 2, 2]"], [IMAGE, IMAGE[:1]])
        self.assert_refused(["example 0", "int64"], [IMAGE.long()])
        self.assert_refused(["example 0", "tensor", "str"], ["cat.png"])
        self.assert_refused(["example 0", "image and label", "pixels"], [{"pixels": IMAGE}])
        self.assert_refused(["example 0", "3 values"], [(IMAGE, 1, 2)])
        self.assert_refused(["num_classes"], [(IMAGE, 1)])
        self.assert_refused(["example 1", "0 to 1", "2"], [(IMAGE, 1), (IMAGE, 2)], num_classes=2)
        self.assert_refused(["example 1", "None"], [(IMAGE, 1), IMAGE], num_classes=2)

    def test_random_augmentations_are_refused(self):
        self.assert_refused(["same example", "augmentations"], Drawn())


class Drawn(list):
    """Examples that are drawn anew each time."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return torch.rand(3, 2, 2)


if __name__ == "__main__":
    unittest.main()
