#include "halfstep/parallel/process_group.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace halfstep::parallel {
namespace {

Tensor bytes_of(const std::string& text) {
  Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  std::copy(text.begin(), text.end(), bytes.data_ptr<uint8_t>());
  return bytes;
}

std::string text_of(const Tensor& bytes) {
  const uint8_t* const begin = bytes.data_ptr<uint8_t>();
  return {begin, begin + bytes.numel()};
}

// Describes the first difference from rank 0's settings; empty if there is none.
std::string difference(const std::vector<Tensor>& gathered) {
  const nlohmann::json expected = nlohmann::json::parse(text_of(gathered.front()));
  for (size_t rank = 1; rank < gathered.size(); ++rank) {
    const nlohmann::json found = nlohmann::json::parse(text_of(gathered[rank]));
    const nlohmann::json changes = nlohmann::json::diff(expected, found);
    if (changes.empty()) continue;
    const nlohmann::json::json_pointer where(changes[0].at("path").get<std::string>());
    const auto value = [&](const nlohmann::json& settings) {
      return settings.contains(where) ? settings.at(where).dump() : std::string("nothing");
    };
    return "rank " + std::to_string(rank) + ": " + where.to_string() + ": expected " +
           value(expected) + ", as on rank 0, received " + value(found);
  }
  return "";
}

}  // namespace

bool any(ProcessGroup& group, bool mine) {
  const Tensor count = at::full({1}, mine ? 1 : 0, at::kLong);
  group.sum(count);
  return count.item<int64_t>() > 0;
}

std::string broadcast(ProcessGroup& group, const std::string& text) {
  const Tensor size = at::full({1}, static_cast<int64_t>(text.size()), at::kLong);
  group.broadcast(size);
  const Tensor bytes =
      group.is_rank_zero() ? bytes_of(text) : at::empty({size.item<int64_t>()}, at::kByte);
  group.broadcast(bytes);
  return text_of(bytes);
}

void require_same(ProcessGroup& group, const nlohmann::json& settings) {
  const std::vector<Tensor> gathered = group.gather(bytes_of(settings.dump()));
  const std::string problem = broadcast(group, group.is_rank_zero() ? difference(gathered) : "");
  if (!problem.empty()) throw ConfigError("processes", problem);
}

Shard shard_of(const ProcessGroup& group, int64_t items) {
  const int64_t first = items * group.rank() / group.size();
  return {.first = first, .count = items * (group.rank() + 1) / group.size() - first};
}

}  // namespace halfstep::parallel
