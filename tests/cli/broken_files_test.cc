// Files that are missing, truncated, corrupt or of another kind: exit code 1 and one line that
// names the file, what was expected and what was found.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <regex>
#include <span>

#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/io/npy.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

// ---- models

// The JSON header and the data of a safetensors file.
struct Parts {
  nlohmann::json header;
  std::string data;
};

// Leaves out the hash of a model, which would find every change.
Parts take_apart(const std::string& file) {
  uint64_t size = 0;
  std::memcpy(&size, file.data(), sizeof size);
  Parts parts{io::parse_json(file.substr(8, size), "header"), file.substr(8 + size)};
  parts.header["__metadata__"].erase("halfstep.sha256");
  return parts;
}

std::string put_together(const Parts& parts) {
  std::string header = parts.header.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t size = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file + header + parts.data;
}

class BrokenModel : public testing::Test {
 protected:
  // All commands that read a model report the same error; `info` is the fastest.
  void expect_refused(const std::string& contents, const std::vector<std::string>& words) {
    write_text(model_, contents);
    EXPECT_TRUE(refuses(run({"info", model_}, {.largest_memory = uint64_t{4} << 30}), 1,
                        Arguments{"broken.safetensors"} + words));
  }
  // The same, for a model whose spec has another value.
  void expect_spec_refused(const std::string& pointer, const nlohmann::json& value,
                           const std::vector<std::string>& words) {
    Parts parts = take_apart(whole_);
    std::string text = parts.header["__metadata__"]["halfstep"].get<std::string>();
    nlohmann::json spec = io::parse_json(text, "spec");
    spec[nlohmann::json::json_pointer(pointer)] = value;
    parts.header["__metadata__"]["halfstep"] = spec.dump();
    expect_refused(put_together(parts), words);
  }

  const Workspace workspace_;
  const fs::path model_ = workspace_ / "broken.safetensors";
  const std::string whole_ = text_of(Workspace::teacher());
};

TEST_F(BrokenModel, MissingEmptyTruncatedOrCorruptIsRefused) {
  EXPECT_TRUE(refuses(run({"info", model_}), 1, {"broken.safetensors", "received nothing"}));
  expect_refused("", {"empty"});
  expect_refused(whole_.substr(0, 100), {"header", "cut short"});
  expect_refused(whole_.substr(0, whole_.size() / 2), {"cut short"});
  std::string flipped = whole_;
  flipped[30] = static_cast<char>(flipped[30] ^ 0x80);
  expect_refused(flipped, {"JSON"});
  const auto replace_end = [](std::string& text) {
    text.replace(text.size() - 4, 4, "\xff\xff\xff\xff");
  };
  std::string nan = whole_;
  replace_end(nan);
  expect_refused(nan, {"halfstep.sha256", "damaged"});
  Parts without_hash = take_apart(whole_);
  replace_end(without_hash.data);
  expect_refused(put_together(without_hash), {"finite", "nan"});
}

TEST_F(BrokenModel, OfAnotherKindIsRefused) {
  Parts parts = take_apart(whole_);
  parts.header.erase("__metadata__");
  expect_refused(put_together(parts), {"halfstep model", "other safetensors"});
  parts = take_apart(whole_);
  parts.header["stranger"] = parts.header["conv_in.weight"];
  parts.header.erase("conv_in.weight");
  expect_refused(put_together(parts), {"conv_in.weight"});
  expect_spec_refused("/version", 99, {"version", "expected 1", "99"});
}

TEST_F(BrokenModel, WithImpossibleSizesIsRefused) {
  expect_spec_refused("/network/ch", -32, {"ch", "-32"});
  expect_spec_refused("/network/ch", 64, {"shape"});
  expect_spec_refused("/network/ch", 65536, {"memory"});
  expect_spec_refused("/network/ch", int64_t{32} << 40, {"ch", "65536"});
  expect_spec_refused("/network/num_res_blocks", 100'000'000, {"num_res_blocks", "100000000"});
  expect_spec_refused("/network/in_channels", int64_t{1} << 50, {"in_channels"});
  expect_spec_refused("/output", "two\nlines", {"output", "two\\x0alines"});
}

TEST_F(BrokenModel, IsRefusedBeforeAnyWork) {
  write_text(model_, whole_.substr(0, 5000));
  EXPECT_TRUE(
      refuses(run({"sample", "--model", model_, "--steps", "2", "--npz", workspace_ / "a.npz"}), 1,
              {"broken.safetensors"}));
  EXPECT_TRUE(refuses(run({"distill", "--teacher", model_, "--data", workspace_.data(), "--outdir",
                           workspace_ / "runs"}),
                      1, {"broken.safetensors"}));
  EXPECT_FALSE(fs::exists(workspace_ / "runs"));
}

// ---- data

TEST(BrokenData, IsNamedAndNoRunIsCreated) {
  const Workspace workspace;
  const std::string images = text_of(workspace.data());
  const auto refused = [&](int code, const std::vector<std::string>& words) {
    EXPECT_TRUE(refuses(run(workspace.train(workspace / "runs")), code, words));
    EXPECT_FALSE(fs::exists(workspace / "runs"));
  };
  write_text(workspace.data(), images.substr(0, images.size() / 2));
  refused(1, {"dots.npy", "[64, 4, 4, 1]"});
  write_text(workspace.data(), "");
  refused(1, {"dots.npy", "NUMPY"});
  fs::copy_file(workspace / "dots.labels.npy", workspace.data(),
                fs::copy_options::overwrite_existing);
  refused(1, {"dots.npy", "u8 [N, H, W, 1 or 3]", "[64]"});
  write_images(workspace.data(), 0, Workspace::kSide, 0);
  refused(1, {"dots.labels.npy", "[0]", "[64]"});
  write_text(workspace.data(), images);
  const std::vector<int64_t> labels(64, -7);
  io::write_npy(workspace / "dots.labels.npy", io::make_array<int64_t>({64}, labels).view());
  refused(1, {"dots.labels.npy", "-7"});
  fs::remove(workspace.data());
  refused(1, {"dots.npy", "does not exist"});
  fs::create_directories(workspace.data());
  refused(2, {"dots.npy", "folder"});
}

// ---- runs

class BrokenRun : public testing::Test {
 protected:
  BrokenRun() {
    const Finished finished = run(
        workspace_.distill(workspace_ / "runs", {"--end-steps", "4", "--updates-per-stage", "5"}));
    EXPECT_TRUE(succeeds(finished));
    whole_ = only_run(workspace_ / "runs");
  }

  // Returns a copy of the run, to be damaged.
  fs::path fresh() {
    const fs::path copy = workspace_ / ("copy-" + std::to_string(++copies_));
    fs::copy(whole_, copy, fs::copy_options::recursive);
    return copy;
  }
  static fs::path slot(const fs::path& run, int k) {
    return run / "state" / ("slot-" + std::to_string(k));
  }

  const Workspace workspace_;
  fs::path whole_;
  int copies_ = 0;
};

TEST_F(BrokenRun, AFolderWithoutARunIsRefused) {
  EXPECT_TRUE(
      refuses(run({"resume", workspace_ / "none"}), 1, {"none", "a run", "does not exist"}));
  EXPECT_TRUE(
      refuses(run({"resume", workspace_.path()}), 1, {"options.json", "without options.json"}));
  EXPECT_TRUE(refuses(run({"resume", workspace_.data()}), 1, {"dots.npy", "a file"}));
}

TEST_F(BrokenRun, InvalidSettingsAreRefused) {
  const auto refused = [&](const std::string& from, const std::string& to,
                           const std::vector<std::string>& words) {
    const fs::path copy = fresh();
    const fs::path file = copy / "options.json";
    replace_in(file, from, to);
    if (nlohmann::json::accept(text_of(file))) {
      EXPECT_TRUE(refuses(run({"resume", copy}), 1, {"options.json", "checksum"}));
    }
    // without its checksum, the file is judged by its values
    write_text(file, std::regex_replace(text_of(file), std::regex("\"checksum\": \"\\w+\","), ""));
    EXPECT_TRUE(refuses(run({"resume", copy}), 1, Arguments{"options.json"} + words));
  };
  refused("\"kind\": \"distill\"", "\"kind\": \"bake\"", {"train or distill", "\"bake\""});
  refused("\"batch\": 8,\n    \"checkpoint", "\"batch\": -8,\n    \"checkpoint", {"batch", "-8"});
  refused("\"log_every\": 1", "\"log_every\": 0", {"log_every", "0"});
  refused("\"update\": {", "\"update\": {\"bat\": 1,", {"bat"});
  refused("{", "", {"JSON"});
  const fs::path copy = fresh();
  write_text(copy / "options.json", "");
  EXPECT_TRUE(refuses(run({"resume", copy}), 1, {"options.json", "JSON"}));
  EXPECT_TRUE(refuses(run({"info", copy}), 1, {"options.json", "JSON"}));
}

TEST_F(BrokenRun, OneBrokenStateIsSurvivedAndTwoAreNot) {
  const fs::path copy = fresh();
  const fs::path model = copy / "stage-0004" / "model.safetensors";
  write_text(slot(copy, 1) / "manifest.json", "{");
  fs::remove(model);
  EXPECT_TRUE(succeeds(run({"resume", copy})));
  EXPECT_TRUE(same_weights(model, whole_ / "stage-0004" / "model.safetensors"));

  const fs::path other = fresh();
  for (int k = 0; k < 2; ++k) {
    const fs::path tensors = slot(other, k) / "tensors.safetensors";
    std::string bytes = text_of(tensors);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_text(tensors, bytes);
  }
  EXPECT_TRUE(
      refuses(run({"resume", other}), 1, {"complete saved state", "slot-0", "slot-1", "sha256"}));
  EXPECT_EQ(text_of(other / "stage-0004" / "model.safetensors"),
            text_of(whole_ / "stage-0004" / "model.safetensors"));
}

TEST_F(BrokenRun, AStateOfAnUnknownStageIsRefused) {
  for (const int stage : {7, -7}) {
    const fs::path copy = fresh();
    for (int k = 0; k < 2; ++k) {
      nlohmann::json manifest = io::read_json(slot(copy, k) / "manifest.json");
      manifest["stage"] = stage;
      manifest.erase("checksum");
      const std::string text = manifest.dump();
      manifest["checksum"] = io::sha256_hex(std::as_bytes(std::span(text)));
      io::write_json(slot(copy, k) / "manifest.json", manifest);
    }
    EXPECT_TRUE(refuses(run({"resume", copy}), 1, {"state", "stage", std::to_string(stage)}));
  }
}

TEST_F(BrokenRun, DamagedTeacherStatisticsAndDataAreNamed) {
  fs::path copy = fresh();
  fs::remove_all(copy / "state");
  fs::resize_file(copy / "teacher.safetensors", 3000);
  EXPECT_TRUE(fails(run({"resume", copy}), 1, {"teacher.safetensors"}));
  copy = fresh();
  fs::resize_file(copy / "stats.jsonl", 10);
  const Finished resumed = run({"resume", copy});
  EXPECT_TRUE(succeeds(resumed));
  EXPECT_NE(resumed.err.find("stats.jsonl: expected at least"), std::string::npos) << resumed.err;

  write_images(workspace_ / "large.npy", 8, 2 * Workspace::kSide, Workspace::kClasses);
  EXPECT_TRUE(refuses(run({"resume", fresh(), "--data", workspace_ / "large.npy"}), 2,
                      {"data", "[1, 4, 4]", "[1, 8, 8]"}));
  write_images(workspace_ / "five.npy", 10, Workspace::kSide, 5);
  EXPECT_TRUE(refuses(run({"resume", fresh(), "--data", workspace_ / "five.npy"}), 2,
                      {"data", "3 classes", "5 classes"}));
  EXPECT_TRUE(refuses(run({"resume", fresh(), "--updates", "9"}), 2, {"updates", "distillation"}));
}

}  // namespace
}  // namespace halfstep::cli
