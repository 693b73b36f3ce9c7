"""Prints the expected numbers of moment_matching_golden_test.cc, from a NumPy version in float64 that shares no code.

    python make_moment_matching_golden.py
"""

import numpy as np

EXAMPLES, ELEMENTS = 2, 3


def wave(k):
    """Returns inputs that C++ can make too."""
    return np.sin(k + np.arange(EXAMPLES * ELEMENTS, dtype=np.float64)).reshape(EXAMPLES, ELEMENTS)


def column(values):
    return np.array(values, dtype=np.float64)[:, None]


phi_t, phi_s = column([np.pi / 2, 0.9]), column([0.7, 0.2])
x, eps, noise = wave(1), wave(2), wave(3)
student, teacher, auxiliary = wave(4), wave(5), wave(6)  # raw outputs, v


def x_of_v(v, z, phi):
    return np.cos(phi) * z - np.sin(phi) * v


z_t = np.cos(phi_t) * x + np.sin(phi_t) * eps
sample = x_of_v(student, z_t, phi_t)
#q(z_s | z_t, x) of a variance - preserving process, \
    from equations 3 and 4 of Salimans& Ho with alpha, sigma
alpha_t, sigma_t, alpha_s, sigma_s = np.cos(phi_t), np.sin(phi_t), np.cos(phi_s), np.sin(phi_s)
alpha_ts = alpha_t / alpha_s
variance_ts = sigma_t**2 - alpha_ts**2 * sigma_s**2
mean = alpha_ts * sigma_s**2 / sigma_t**2 * z_t + alpha_s * variance_ts / sigma_t**2 * sample
z_s = mean + np.sqrt(variance_ts * sigma_s**2 / sigma_t**2) * noise
x_teacher, x_auxiliary = x_of_v(teacher, z_s, phi_s), x_of_v(auxiliary, z_s, phi_s)
squares = (sample - x_auxiliary)**2 + (x_teacher - x_auxiliary)**2
loss = (squares / sigma_s**2).mean(axis=1)
#d loss / d raw output of the auxiliary, with d x / d v = -sin phi
of_auxiliary = -2 * ((x_auxiliary - sample) + (x_auxiliary - x_teacher)) / sigma_s / ELEMENTS
weight = 1 / np.maximum(np.abs(sample - x_teacher).mean(axis=1, keepdims=True), 0.01)
of_student = -sigma_t * weight * (x_auxiliary - x_teacher) / ELEMENTS

for name, values in {"kZs": z_s, "kLoss": loss, "kOfAuxiliary": of_auxiliary, "kOfStudent": of_student}.items():
    print(f"constexpr double {name}[] = {{{', '.join(repr(float(v)) for v in values.ravel())}}};")
