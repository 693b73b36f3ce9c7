"""A small module of PyTorch, and a data set for it."""

import torch
from torch import nn

import halfstep


class Net(nn.Module):
    """A small network of 1 x 4 x 4 images, with classes."""

    def __init__(self, extra=None, classes=3):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.time = nn.Linear(1, 8)
        self.label = nn.Embedding(classes + 1, 8)
        self.extra = extra or nn.Identity()
        self.last = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, z, logsnr, labels=None):
        h = self.first(z) + self.time(logsnr[:, None] / 20)[:, :, None, None]
        if labels is not None:
            h = h + self.label(labels + 1)[:, :, None, None]  # label 0 is no class
        return self.last(torch.tanh(self.extra(h)))


SPEC = halfstep.Spec(shape=(1, 4, 4), output="v", num_classes=3, has_null_class=True)


def net(seed=1, **options):
    torch.manual_seed(seed)
    return Net(**options)


class Labelled:
    """Images in three classes."""

    classes = ("a", "b", "c")

    def __len__(self):
        return 32

    def __getitem__(self, index):
        image = torch.arange(16, dtype=torch.uint8).reshape(1, 4, 4) * (index % 5 + 1)
        return {"image": image, "label": index % 3}
