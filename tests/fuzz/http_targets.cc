#include <string>
#include <string_view>
#include <vector>

#include "halfstep/http/exchange.h"
#include "halfstep/http/frame.h"
#include "halfstep/http/image_request.h"
#include "tests/fuzz/targets.h"

namespace halfstep::fuzz {
namespace {

std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

const std::vector<http::ServedModel>& models() {
  static const std::vector<http::ServedModel> models = {
      {.id = "cats",
       .width = 28,
       .height = 28,
       .channels = 1,
       .num_classes = 2,
       .has_null_class = true,
       .class_names = {"cat", "tiger"},
       .guidance = {.min = 0.0, .max = 5.0}},
      {.id = "plain", .width = 32, .height = 32, .channels = 3}};
  return models;
}

}  // namespace

// What comes over a connection, until something is refused or incomplete.
void http_request(Input input) {
  std::string_view bytes = text_of(input);
  while (true) {
    const http::Frame frame = http::find_frame(bytes);
    if (frame.state == http::Frame::State::refused) {
      const http::Response response = http::refuse(frame.status, frame.reason);
      if (frame.status < 400 || !response.bytes.ends_with("}\n")) throw Finding("a bad refusal");
      return;
    }
    if (frame.state == http::Frame::State::incomplete) return;
    if (frame.head == 0 || frame.head + frame.body > bytes.size()) throw Finding("a bad frame");
    const http::Response response = http::respond(
        bytes.substr(0, frame.head + frame.body), frame.head,
        [](const http::Request& request) {
          return http::Answer{.body = request.method + request.path + request.host};
        },
        [] { return false; });
    if (!response.bytes.starts_with("HTTP/1.1 ")) throw Finding("no answer");
    bytes.remove_prefix(frame.head + frame.body);
  }
}

void image_request(Input input) {
  expect_valid_or_rejected([&] {
    const http::ImageRequest request =
        http::parse_image_request(text_of(input), models(), [] { return uint64_t{7}; });
    const http::ServedModel& model = models().at(request.model);
    if (request.rows.empty() || request.rows.size() > static_cast<size_t>(http::kMostImages))
      throw Finding("a bad number of images");
    for (const http::Row& row : request.rows) {
      if (row.label && (*row.label < http::kNoClass || *row.label >= model.num_classes))
        throw Finding("a label that is not a class");
      if (!(row.guidance >= model.guidance.min && row.guidance <= model.guidance.max))
        throw Finding("guidance out of range");
    }
  });
}

}  // namespace halfstep::fuzz
