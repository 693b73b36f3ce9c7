#include "halfstep/data/check_dataset.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/in_threads.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/io/hash.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;
using Split = DatasetOptions::Split;

constexpr int64_t kRound = 4096;  // examples between two calls of keep_going
constexpr size_t kChunk = 16;     // examples that a thread takes at a time

// What is kept of an example.
struct Seen {
  std::array<char, 32> hash = {};  // half of the digits: 128 bits
  int32_t label = -1;
  bool readable = false;
};

// One split and where the examples with a hash were met first.
struct ReadSplit {
  std::unique_ptr<Dataset> dataset;
  bool several_sizes = false;
  std::vector<Seen> seen;
  std::map<std::array<char, 32>, size_t> first;  // index by hash
};

class Check {
 public:
  Check(const fs::path& path, const DatasetOptions& options,
        const std::function<bool(int64_t, int64_t)>& keep_going)
      : path_(path), options_(options), keep_going_(keep_going) {}

  DatasetReport run() {
    ReadSplit train = open(Split::train);
    add(train, Split::train);
    ReadSplit test;
    try {
      test = open(Split::test);
    } catch (const ConfigError&) {  // there is none
      return std::move(report_);
    }
    // A folder "test" without another split beside it is opened for both.
    const std::string& folder = test.dataset->info().folder;
    if (!folder.empty() && folder == train.dataset->info().folder) return std::move(report_);
    add(test, Split::test);
    compare(train, test);
    return std::move(report_);
  }

 private:
  // Returns how the problems of a split begin.
  static std::string named(Split split) { return std::string(name_of(split)) + ": "; }

  // Opens a split without its broken images, and resized if its images differ in size.
  ReadSplit open(Split split) {
    DatasetOptions options = options_;
    options.split = split;
    options.skip_broken = true;
    try {
      return {.dataset = open_dataset(path_, options)};
    } catch (const ConfigError& error) {
      if (options.image_size) throw;
      constexpr int64_t kSide = 64;
      options.image_size = kSide;
      ReadSplit resized{.dataset = open_dataset(path_, options),  // throws if it is not that
                        .several_sizes = true};
      report_.problems.emplace_back(named(split) + std::string(error.text()));
      return resized;
    }
  }

  void add(ReadSplit& split, Split which) {
    const DatasetInfo& info = split.dataset->info();
    SplitReport report{.split = which, .info = info, .several_sizes = split.several_sizes};
    if (info.broken.count > 0 && !options_.skip_broken) {
      report.info.broken = {};  // a run would not leave them out
      report_.problems.push_back(named(which) + info.broken.text() +
                                 "; --skip-broken leaves them out");
    }
    if (info.holds_images() && info.height != info.width)
      report_.problems.push_back(named(which) + "the images have " + std::to_string(info.width) +
                                 " x " + std::to_string(info.height) +
                                 " pixels, and networks take squares; set --image-size");
    read(split);
    report.class_counts.resize(static_cast<size_t>(info.num_classes));
    for (size_t i = 0; i < split.seen.size(); ++i) {
      const Seen& seen = split.seen[i];
      if (!seen.readable) continue;
      if (seen.label >= 0) ++report.class_counts[static_cast<size_t>(seen.label)];
      const auto [first, is_new] = split.first.emplace(seen.hash, i);
      if (!is_new) count(split, i, split, first->second, report.duplicates);
    }
    report.fingerprint = split.dataset->fingerprint();
    report_.splits.push_back(std::move(report));
  }

  void compare(const ReadSplit& train, const ReadSplit& test) {
    for (size_t i = 0; i < test.seen.size(); ++i) {
      const auto first = train.first.find(test.seen[i].hash);
      if (test.seen[i].readable && first != train.first.end())
        count(test, i, train, first->second, report_.in_both);
    }
  }

  static void count(const ReadSplit& split, size_t i, const ReadSplit& other, size_t first,
                    Duplicates& duplicates) {
    ++duplicates.count;
    if (split.seen[i].label != other.seen[first].label) ++duplicates.with_other_label;
    if (duplicates.named.size() >= Duplicates::kNamed) return;
    duplicates.named.push_back(one_line(split.dataset->name_of(static_cast<int64_t>(i))) + " = " +
                               one_line(other.dataset->name_of(static_cast<int64_t>(first))));
  }

  // Reads all examples into split.seen, as far as keep_going allows.
  void read(ReadSplit& split) {
    const int64_t size = split.dataset->info().size;
    for (int64_t begin = 0; begin < size && keep_going_(begin, size); begin += kRound) {
      const auto end = static_cast<size_t>(std::min(size, begin + kRound));
      split.seen.resize(end);
      const auto first = static_cast<size_t>(begin);
      for_each_in_threads((end - first + kChunk - 1) / kChunk, [&](size_t k) {
        std::vector<uint8_t> chw(static_cast<size_t>(split.dataset->info().example_bytes()));
        const size_t last = std::min(end, first + (k + 1) * kChunk);
        for (size_t i = first + k * kChunk; i < last; ++i) read(split, i, chw);
      });
    }
  }

  void read(ReadSplit& split, size_t i, std::vector<uint8_t>& chw) {
    Seen& seen = split.seen[i];
    try {
      seen.label = split.dataset->read(static_cast<int64_t>(i), chw);
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      if (unreadable_++ < static_cast<int64_t>(BrokenImages::kNamed))
        report_.problems.emplace_back(error.what());
      return;
    }
    const std::string hex = io::sha256_hex(std::as_bytes(std::span(chw)));
    std::copy_n(hex.begin(), seen.hash.size(), seen.hash.begin());
    seen.readable = true;
  }

  const fs::path& path_;
  const DatasetOptions& options_;
  const std::function<bool(int64_t, int64_t)>& keep_going_;
  DatasetReport report_;
  std::mutex mutex_;  // guards what read() reports
  int64_t unreadable_ = 0;
};

// Returns "NAME", padded to the column of values, and the value.
std::string line(const std::string& name, const std::string& value) {
  constexpr size_t kColumn = 12;
  return name + std::string(name.size() < kColumn ? kColumn - name.size() : 1, ' ') + value + '\n';
}

std::string by(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

// `one` and `several` are what is said of one image and of several.
std::string text_of(const Duplicates& duplicates, const char* one, const char* several) {
  std::string text = std::to_string(duplicates.count) + (duplicates.count == 1 ? one : several);
  if (duplicates.with_other_label > 0) {
    text += duplicates.count == 1
                ? ", with another label"
                : ", " + std::to_string(duplicates.with_other_label) + " with another label";
  }
  for (size_t k = 0; k < duplicates.named.size(); ++k)
    text += (k == 0 ? ": " : ", ") + duplicates.named[k];
  return text + (static_cast<size_t>(duplicates.count) > duplicates.named.size() ? ", ..." : "");
}

std::string classes_of(const SplitReport& split) {
  constexpr size_t kListed = 20;
  const std::vector<int64_t>& counts = split.class_counts;
  if (counts.empty()) return line("", "no classes");
  const auto [least, most] = std::ranges::minmax_element(counts);
  std::string text =
      line("", std::to_string(counts.size()) + " classes of " + std::to_string(*least) +
                   (*least == *most ? "" : " to " + std::to_string(*most)) +
                   (split.info.holds_images() ? " images" : " examples"));
  for (size_t k = 0; k < std::min(counts.size(), kListed); ++k) {
    const std::string name =
        k < split.info.class_names.size() ? ' ' + one_line(split.info.class_names[k]) : "";
    text += line("", std::to_string(k) + name + ": " + std::to_string(counts[k]));
  }
  return text + (counts.size() > kListed ? line("", "...") : "");
}

}  // namespace

std::string DatasetReport::text() const {
  std::string text;
  for (const SplitReport& split : splits) {
    const DatasetInfo& info = split.info;
    text +=
        line(std::string(name_of(split.split)),
             std::to_string(info.size) + (info.holds_images() ? " images of " : " examples of ") +
                 (split.several_sizes ? "several sizes" : by(info.shape())));
    text += classes_of(split);
    for (const std::string& note : info.notes()) text += line("", note);
    if (split.duplicates.count > 0)
      text += line("", text_of(split.duplicates, " equals an earlier one", " equal earlier ones"));
  }
  if (in_both.count > 0)
    text += line("both", text_of(in_both, " of the test split is in the training split",
                                 " of the test split are in the training split"));
  for (const std::string& problem : problems) text += line("problem", problem);
  return text + line("a run", problems.empty() ? "can use it" : "would fail");
}

DatasetReport check_dataset(const fs::path& path, const DatasetOptions& options,
                            const std::function<bool(int64_t, int64_t)>& keep_going) {
  return Check(path, options, keep_going).run();
}

}  // namespace halfstep::data
