#include "halfstep/train/stats.h"

#include <string>

#include "halfstep/io/fields.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"

namespace halfstep {

std::vector<StatsLine> read_stats(const std::filesystem::path& path) {
  std::vector<StatsLine> lines;
  if (!std::filesystem::exists(path)) return lines;
  const std::string text = io::read_file(path);
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string where = path.string() + ": line " + std::to_string(lines.size() + 1);
    io::fields_from_json(io::parse_json(std::string_view(text).substr(begin, end - begin), where),
                         lines.emplace_back(), where);
    begin = end + 1;
  }
  return lines;
}

}  // namespace halfstep
