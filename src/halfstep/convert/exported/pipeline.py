"""The pipeline of a model that halfstep exported. It draws the images of `halfstep sample`:

    pipeline = DiffusionPipeline.from_pretrained(FOLDER, trust_remote_code=True)
    images = pipeline(class_labels="Bag", seeds=range(16)).images
"""

import operator
import warnings
from typing import Optional

import numpy
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, ImagePipelineOutput, UNet2DModel

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


def noise_of_seed(seed, size, purpose, site):
    """Returns `size` normal numbers, by the Box-Muller transform."""
    words = random_words(seed, purpose, -(-size // 4), site).reshape(-1, 2).astype(numpy.float64)
    radius = numpy.sqrt(-2 * numpy.log((words[:, 0] + 0.5) / 2**32))
    turn = 2 * numpy.pi * words[:, 1] / 2**32
    return numpy.stack([radius * numpy.cos(turn), radius * numpy.sin(turn)], axis=1).reshape(-1)[:size]


def label_of_seed(seed, classes):
    """Returns a class, uniformly distributed."""
    low, high = (int(word) for word in random_words(seed, SAMPLE_LABEL, 1)[0, :2])
    return (high << 32 | low) * classes >> 64


class HalfstepPipeline(DiffusionPipeline):
    """Samples a UNet2DModel as halfstep does. `halfstep` says for how many steps it was made, its classes and more."""

    model_cpu_offload_seq = "unet"

    def __init__(self, unet: UNet2DModel, scheduler: DDIMScheduler, halfstep: Optional[dict] = None):
        super().__init__()
        self.register_modules(unet=unet, scheduler=DDIMScheduler.from_config(scheduler.config))
        self.register_to_config(halfstep=halfstep or {})

    @property
    def class_names(self):
        return list(self.config.halfstep.get("class_names", []))

    @property
    def has_null_class(self):
        return self.config.halfstep.get("has_null_class", False)

    @property
    def num_classes(self):
        return (self.unet.config.num_class_embeds or 0) - self.has_null_class

    @torch.no_grad()
    def __call__(
        self,
        batch_size=None,
        class_labels=None,
        num_inference_steps=None,
        guidance_scale=None,
        clip=True,
        seeds=None,
        generator=None,
        latents=None,
        output_type=None,
        return_dict=True,
    ):
        """Draws images.

        batch_size: number of images; default: that of `seeds`, `latents` or `class_labels`, or 1.
        class_labels: a class for all images or a list with one for each. A class is its name, its number, or "none"
            for no class. Default: a class drawn from each image's seed.
        num_inference_steps: default: the number that the model was distilled for. A teacher has none.
        guidance_scale: weight of classifier-free guidance; 1 is off. Default: 1, or the weight that is part of a model
            that was distilled with guidance, which takes no other.
        clip: clip predictions of x to [-1, 1] at every step. Only images are clipped.
        seeds: one for each image, as in `halfstep sample --seeds`. Default: drawn with `generator`.
        latents: start from these, [batch_size, C, H, W], instead of noise drawn from the seeds. Noise within the steps,
            if the model was made for it, is drawn from the seeds.
        output_type: "pil", "np" (float32 [N, H, W, C] in [0, 1]), "pt" (the same as [N, C, H, W]) or "latent" (x
            itself, not clipped at the end). Default: "pil" for images; "latent", the only one, for other data.
        """
        count = self._count(batch_size, class_labels, seeds, latents)
        seeds = self._draw_seeds(count, generator) if seeds is None else [operator.index(seed) for seed in seeds]
        is_image = self.unet.config.out_channels in (1, 3)
        types = ["pil", "np", "pt", "latent"] if is_image else ["latent"]
        output_type = output_type or types[0]
        if output_type not in types:
            raise ValueError(f"output_type: expected one of {types}, received {output_type!r}")
        device = self._execution_device
        scheduler = DDIMScheduler.from_config(self.scheduler.config, clip_sample=clip and is_image)
        scheduler.set_timesteps(self._steps(num_inference_steps), device=device)
        raw = self._network(self._labels(class_labels, seeds), guidance_scale, device)

        z = self._noise(seeds, SAMPLE_NOISE) if latents is None else latents
        z = z.to(device=device, dtype=torch.float32)
        times = self._times(scheduler)
        # DDIM with eta = 1 is the ancestral sampler with the small variance.
        ancestral = self.config.halfstep.get("sampler", "ddim") == "ancestral"
        left = len(scheduler.timesteps)
        for t in self.progress_bar(scheduler.timesteps):
            noise = self._noise(seeds, STEP_NOISE, left).to(device) if ancestral and left > 1 else None
            left -= 1
            z = scheduler.step(raw(z, times[t]), t, z, eta=float(noise is not None), variance_noise=noise,
                               use_clipped_model_output=clip and is_image).prev_sample
        self.maybe_free_model_hooks()

        images = z if output_type == "latent" else (z / 2 + 0.5).clamp(0, 1)
        if output_type in ("np", "pil"):
            images = images.cpu().permute(0, 2, 3, 1).numpy()
        if output_type == "pil":
            images = self.numpy_to_pil(images)
        return ImagePipelineOutput(images=images) if return_dict else (images,)

    def _count(self, batch_size, class_labels, seeds, latents):
        counts = {"batch_size": batch_size, "seeds": None if seeds is None else len(seeds),
                  "latents": None if latents is None else len(latents),
                  "class_labels": len(class_labels) if isinstance(class_labels, (list, tuple)) else None}
        given = {name: count for name, count in counts.items() if count is not None}
        if len(set(given.values())) > 1:
            raise ValueError(f"expected one number of images, received {given}")
        return next(iter(given.values()), 1)

    def _draw_seeds(self, count, generator):
        if isinstance(generator, (list, tuple)):
            if len(generator) != count:
                raise ValueError(f"generator: expected {count}, one for each image, received {len(generator)}")
            return [self._draw_seeds(1, one)[0] for one in generator]
        device = generator.device if generator is not None else "cpu"
        return torch.randint(2**63 - 1, (count,), generator=generator, device=device).tolist()

    def _steps(self, num_steps):
        made_for = self.config.halfstep.get("num_steps", 0)
        if not (num_steps or made_for):
            raise ValueError("num_inference_steps: expected a number, because this model is not distilled")
        if made_for and num_steps and num_steps != made_for:
            warnings.warn(f"this model was distilled for {made_for} sampling steps, but is sampled with {num_steps}: "
                          "expect worse images", stacklevel=4)
        num_steps = num_steps or made_for
        timesteps = self.scheduler.config.num_train_timesteps
        if timesteps % num_steps != 0:
            raise ValueError(f"num_inference_steps: expected a divisor of {timesteps}, received {num_steps}")
        return num_steps

    def _times(self, scheduler):
        """Returns what the network receives at each timestep. One of the paper's code was trained with the angle of z,
        of which the timestep is a rounded form."""
        if not self.config.halfstep.get("time_is_angle", False):
            return torch.arange(scheduler.config.num_train_timesteps)
        alphas = numpy.cumprod(1 - numpy.array(scheduler.config.trained_betas))
        angles = numpy.arctan2(numpy.sqrt(1 - alphas), numpy.sqrt(alphas))
        clipped = angles.clip(numpy.arctan(numpy.exp(-10)), numpy.arctan(numpy.exp(10)))
        return torch.from_numpy(clipped * 1000 / (numpy.pi / 2) - 1).float()

    def _noise(self, seeds, purpose, site=0):
        size = self.unet.config.sample_size
        shape = (self.unet.config.in_channels, size, size)
        noise = [noise_of_seed(seed, shape[0] * size * size, purpose, site).reshape(shape) for seed in seeds]
        return torch.from_numpy(numpy.stack(noise).astype(numpy.float32))

    def _label(self, name):
        if isinstance(name, str) and name == "none":
            if self.has_null_class:
                return self.num_classes
            raise ValueError("class_labels: expected a class, because this model has no null class, received none")
        number = -1
        if isinstance(name, str) and name in self.class_names:
            number = self.class_names.index(name)
        elif not isinstance(name, str):
            number = operator.index(name)
        elif name.isascii() and name.isdigit():
            number = int(name)
        if not 0 <= number < self.num_classes:
            names = ", ".join(self.class_names[:20]) + (", ..." if len(self.class_names) > 20 else "")
            raise ValueError(f"class_labels: expected the name of a class ({names or 'this model has none'}) or a "
                             f"number below {self.num_classes}, received {name!r}")
        return number

    def _labels(self, class_labels, seeds):
        if self.num_classes < 2:
            if class_labels is not None:
                raise ValueError("class_labels: expected none, because this model has no classes")
            return None
        if class_labels is None:
            return [label_of_seed(seed, self.num_classes) for seed in seeds]
        if isinstance(class_labels, (list, tuple)):
            return [self._label(name) for name in class_labels]
        return [self._label(class_labels)] * len(seeds)

    def _network(self, labels, guidance_scale, device):
        """Returns the network as a function of z and t, with the labels and the guidance."""
        labels = None if labels is None else torch.tensor(labels, device=device)

        def raw(z, t, labels=labels):
            return self.unet(z.to(self.unet.dtype), t, class_labels=labels).sample.float()

        least = self.config.halfstep.get("guidance_min")
        most = self.config.halfstep.get("guidance_max")
        if least is not None and least == most:  # part of the weights
            if guidance_scale not in (None, least):
                raise ValueError(f"guidance_scale: expected {least}, with which this model was distilled, or None, "
                                 f"received {guidance_scale}")
            return raw
        if guidance_scale in (None, 1):
            return raw
        if not self.has_null_class:
            raise ValueError("guidance_scale: expected 1, because this model has no null class")
        if (least is not None and guidance_scale < least) or (most is not None and guidance_scale > most):
            raise ValueError(f"guidance_scale: expected {least} to {most}, received {guidance_scale}")
        null = torch.full_like(labels, self.num_classes)

        def guided(z, t):
            without = raw(z, t, null)
            return without + guidance_scale * (raw(z, t) - without)

        return guided
