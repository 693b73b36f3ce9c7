#include "halfstep/train/stats.h"

#include <span>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"

namespace halfstep {

namespace {

StatsLine line_of(nlohmann::json json, const std::string& where) {
  StatsLine line;
  const nlohmann::json evaluation = json.is_object() ? io::take(json, "evaluation") : nullptr;
  if (!evaluation.is_null())
    io::fields_from_json(evaluation, line.quality.emplace(), where + ": evaluation");
  io::fields_from_json(json, line, where);
  return line;
}

}  // namespace

nlohmann::json to_json(const StatsLine& line) {
  nlohmann::json json = io::fields_to_json(line);
  if (line.quality) json["evaluation"] = io::fields_to_json(*line.quality);
  return json;
}

std::vector<StatsLine> read_stats(const std::filesystem::path& path) {
  constexpr size_t kMostBytes = 1 << 20;  // of a line
  std::vector<StatsLine> lines;
  if (!std::filesystem::exists(path)) return lines;
  std::string text;  // whose lines have not been read yet
  io::read_pieces(path, [&](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      const std::string where = path.string() + ": line " + std::to_string(lines.size() + 1);
      lines.push_back(
          line_of(io::parse_json(std::string_view(text).substr(begin, end - begin), where), where));
      begin = end + 1;
    }
    text.erase(0, begin);
    if (text.size() <= kMostBytes) return;
    throw FormatError(path.string() + ": line " + std::to_string(lines.size() + 1),
                      "expected at most " + std::to_string(kMostBytes) + " bytes, found more");
  });
  return lines;
}

}  // namespace halfstep
