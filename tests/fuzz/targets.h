// What is fuzzed: each reads bytes as one kind of file and forgets what it read. A sound reader
// throws a halfstep::Error of one line or nothing at all; everything else, a message of two lines
// among it, leaves the target and is a finding.
//
// fuzz_main.cc makes a libFuzzer program of each (preset fuzz, run.sh); corpus_test.cc runs them
// over the files of corpus/ in the ordinary suite.
#ifndef HALFSTEP_TESTS_FUZZ_TARGETS_H_
#define HALFSTEP_TESTS_FUZZ_TARGETS_H_

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

#include "halfstep/core/error.h"

namespace halfstep::fuzz {

using Input = std::span<const std::byte>;

void safetensors(Input input);
void npy(Input input);
void npz(Input input);
void flax_checkpoint(Input input);
void image_zip(Input input);
void dataset_json(Input input);
void idx(Input input);
void tar_gz(Input input);
void image(Input input);
void fields(Input input);

// Not an Error, so that no target takes it for one.
struct Finding : std::logic_error {
  using std::logic_error::logic_error;
};

template <class Read>
void expect_sound_or_refused(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string_view what = error.what();
    if (what.find('\n') != what.npos) throw Finding("a message of two lines");
  }
}

}  // namespace halfstep::fuzz

#endif  // HALFSTEP_TESTS_FUZZ_TARGETS_H_
