// Graphs of the device of fake_device.h, which behave as CUDA's do: a capture computes nothing, and
// a replay runs the captured operators on the memory that they had, with the numbers that they had.
// A copy between host and device breaks a capture off.
#ifndef HALFSTEP_TESTS_DEVICE_FAKE_GRAPH_H_
#define HALFSTEP_TESTS_DEVICE_FAKE_GRAPH_H_

#include <ATen/core/stack.h>

#include <cstdint>
#include <functional>

namespace halfstep::test {

// An operator, from its arguments to its results.
using Operator = std::function<torch::jit::Stack(torch::jit::Stack arguments)>;

// Runs an operator, and records it if the current stream is being captured. `changed`: those of the
// arguments that it writes to.
torch::jit::Stack run_or_record(const torch::jit::Stack& arguments,
                                const torch::jit::Stack& changed, const Operator& run);

// Throws if the current stream is being captured.
void break_capture_off(const char* why);

// Must be called with each new block of the device's memory.
void note_allocation(const void* block);

// Makes the device's graphs known to LibTorch.
void register_fake_graphs();

// Returns how many graphs were replayed in this process.
int64_t graph_replays();

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_FAKE_GRAPH_H_
