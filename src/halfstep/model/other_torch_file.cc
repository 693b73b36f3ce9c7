#include "halfstep/model/other_torch_file.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/zip.h"

namespace halfstep {
namespace {

constexpr const char* kProgram =
    "a program of torch.export (.pt2); save the network itself with "
    "torch.jit.script(net.eval()).save(\"net.pt\")";
constexpr const char* kWeights =
    "weights or objects that torch.save wrote, without the network's code; in Python, load them "
    "into the network and save it with torch.jit.script(net.eval()).save(\"net.pt\")";
constexpr const char* kPickle =
    "a pickle, which is a program and is not opened; in Python, load it into the network and save "
    "that with torch.jit.script(net.eval()).save(\"net.pt\")";

// Returns what kind of file it is; empty for those that are not meant here.
std::string_view kind_of_archive(const std::filesystem::path& path) {
  const std::vector<io::ZipEntry> entries = io::ZipReader(path).entries();
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(entries, [&](const io::ZipEntry& entry) {
      return entry.name == name || entry.name.ends_with("/" + name);
    });
  };
  if (has("constants.pkl")) return "";  // TorchScript
  if (has("archive_format") || has("serialized_exported_program.json")) return kProgram;
  return has("data.pkl") ? kWeights : "";
}

std::string_view kind_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";
  try {
    const std::string start = io::read_file(path, 2);
    if (start == "PK") return kind_of_archive(path);
    const bool pickle = start.size() == 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5;
    return pickle ? kPickle : "";
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

void require_no_other_torch_file(const std::filesystem::path& path, const std::string& expected) {
  const std::string_view kind = kind_of(path);
  if (!kind.empty())
    throw FormatError(path.string(), "expected " + expected + ", received " + std::string(kind));
}

}  // namespace halfstep
