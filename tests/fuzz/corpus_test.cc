// Runs every fuzz target on its part of corpus/ (valid files and findings of the fuzzers) and on
// mutations of these files, which are the same in every run.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"
#include "tests/io/hostile.h"

namespace halfstep::fuzz {
namespace {

struct Target {
  std::string name;
  std::function<void(Input)> run;
};

class FuzzCorpus : public testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, IsReadOrRejected) {
  constexpr int kMutations = 100;  // per file
  const std::filesystem::path folder =
      std::filesystem::path(HALFSTEP_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam().name;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    const io::Bytes contents = io::read_bytes(entry.path());
    EXPECT_NO_THROW(GetParam().run(contents));
    std::mt19937_64 random(contents.size());
    for (int round = 0; round < kMutations; ++round)
      EXPECT_NO_THROW(GetParam().run(io::mutated(contents, random))) << "round " << round;
    ++files;
  }
  EXPECT_GE(files, 2);
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus,
                         testing::ValuesIn(std::vector<Target>{{"safetensors", safetensors},
                                                               {"npy", npy},
                                                               {"npz", npz},
                                                               {"flax_checkpoint", flax_checkpoint},
                                                               {"image_zip", image_zip},
                                                               {"dataset_json", dataset_json},
                                                               {"idx", idx},
                                                               {"tar_gz", tar_gz},
                                                               {"image", image},
                                                               {"lmdb", lmdb},
                                                               {"fields", fields},
                                                               {"onnx_metadata", onnx_metadata},
                                                               {"http_request", http_request},
                                                               {"image_request", image_request}}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace halfstep::fuzz
