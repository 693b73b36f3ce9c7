"""Data sets of training examples, read by index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from halfstep import _halfstep
from halfstep._errors import ConfigError


class Dataset(Protocol):
    """A map-style data set, such as torch.utils.data.Dataset.

    dataset[i] is an image, a pair (image, label), or a dict with the keys "image" and, if there are
    classes, "label". An image is uint8 [1 or 3, H, W], a tensor or an array. Other data, and images
    that are already numbers in [-1, 1], are float32 of any shape, channels first. A label is an
    integer from 0 on.

    The same index must always give the same example: runs read examples by index in an order of
    their own, so that they can be resumed with the same result. Random flips are an option of runs.
    A data set with labels has `classes`, the names of its classes, or `num_classes`.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class Examples:
    """The examples of a data set as the extension module reads them."""

    def __init__(self, dataset: Dataset, num_classes: int = 0) -> None:
        """Looks at the first example.

        `num_classes` is the number of classes of a data set that does not say it. Raises
        ConfigError if the example is not what `Dataset` describes.
        """
        self._dataset = dataset
        self.name = type(dataset).__name__
        self.size = len(dataset)
        if self.size == 0:
            raise ConfigError("[data] expected examples, received none")
        image, label = self._example(0)
        self.shape = list(image.shape)
        self.dtype = image.dtype
        self.images = image.dtype == torch.uint8
        if self.images and (image.dim() != 3 or image.shape[0] not in (1, 3)):
            raise ConfigError(
                "[data] example 0: expected an image, uint8 [1 or 3, H, W],"
                f" received uint8 {self.shape}"
            )
        self.class_names = [str(name) for name in getattr(dataset, "classes", ())]
        self.num_classes = 0
        if label is not None:
            known = len(self.class_names) or int(getattr(dataset, "num_classes", num_classes))
            if known < 1:
                raise ConfigError(
                    "[data] num_classes: expected the number of classes, because example 0 has a"
                    " label, received none; give the data set an attribute num_classes or classes"
                )
            self.num_classes = known
        again, _ = self._example(0)
        if not torch.equal(image, again):
            raise ConfigError(
                "[data] example 0: expected the same example each time, received another one;"
                " leave random augmentations to the options of the run"
            )

    def read(self, index: int) -> tuple[torch.Tensor, int]:
        """Returns example `index`, contiguous on the CPU, and its label; -1 if there are none."""
        image, label = self._example(index)
        if list(image.shape) != self.shape or image.dtype != self.dtype:
            raise ConfigError(
                f"[data] example {index}: expected {self.dtype} {self.shape} as example 0,"
                f" received {image.dtype} {list(image.shape)}"
            )
        if self.num_classes == 0:
            return image, -1
        if label is None or not 0 <= label < self.num_classes:
            raise ConfigError(
                f"[data] example {index}: expected a label from 0 to {self.num_classes - 1},"
                f" received {label}"
            )
        return image, label

    def _example(self, index: int) -> tuple[torch.Tensor, int | None]:
        example = self._dataset[index]
        label: Any = None
        if isinstance(example, Mapping):
            unknown = sorted(map(str, set(example) - {"image", "label"}))
            if unknown or "image" not in example:
                raise ConfigError(
                    f"[data] example {index}: expected the keys image and label,"
                    f" received {', '.join(map(str, example))}"
                )
            example, label = example["image"], example.get("label")
        elif isinstance(example, tuple):
            if len(example) != 2:
                raise ConfigError(
                    f"[data] example {index}: expected an image and a label,"
                    f" received {len(example)} values"
                )
            example, label = example
        try:
            image = torch.as_tensor(example)
        except (TypeError, ValueError, RuntimeError):
            raise ConfigError(
                f"[data] example {index}: expected a tensor or an array,"
                f" received {type(example).__name__}"
            ) from None
        if image.dtype != torch.uint8:
            if not image.is_floating_point():
                raise ConfigError(
                    f"[data] example {index}: expected uint8 or float32, received {image.dtype}"
                )
            image = image.to(torch.float32)
        return image.detach().cpu().contiguous(), None if label is None else int(label)


def open_data(
    data: str | Any, image_size: int | None, skip_broken: bool, num_classes: int = 0
) -> _halfstep.Data:
    """Returns a path or a data set as the extension module takes it."""
    opened = _halfstep.Data()
    opened.image_size = image_size
    opened.skip_broken = skip_broken
    if isinstance(data, str) or hasattr(data, "__fspath__"):
        opened.source = data
        return opened
    if image_size is not None or skip_broken:
        raise ConfigError(
            "[data] image_size and skip_broken: expected none for a data set in memory,"
            " received one; resize or leave out images in the data set"
        )
    if not hasattr(data, "__getitem__") or not hasattr(data, "__len__"):
        raise ConfigError(
            "[data] expected a path or a data set with __len__ and __getitem__,"
            f" received {type(data).__name__}"
        )
    opened.source = _halfstep.Dataset(Examples(data, num_classes))
    return opened
