#include "halfstep/http/frame.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "halfstep/core/lower_case.h"

namespace halfstep::http {
namespace {

using State = Frame::State;

Frame refused(int status, std::string reason) {
  return {.state = State::refused, .status = status, .reason = std::move(reason)};
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != kMarks.npos;
  });
}

bool is_control(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; }

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Returns whether the line is "METHOD TARGET HTTP/1.1".
bool is_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last || !is_token(line.substr(0, first))) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  return target.starts_with('/') && target.find(' ') == target.npos &&
         (version == "HTTP/1.1" || version == "HTTP/1.0");
}

// What the headers say of the body.
struct Headers {
  std::optional<std::size_t> length;
  Frame refusal;
};

void read_header(std::string_view line, Headers& headers) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) {
    headers.refusal = refused(400, "headers: expected NAME: VALUE, received something else");
    return;
  }
  const std::string name = lower_case(std::string(line.substr(0, colon)));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "transfer-encoding") {
    headers.refusal = refused(411, "expected a Content-Length, received Transfer-Encoding");
  } else if (name == "content-encoding" && value != "identity") {
    headers.refusal = refused(415, "expected a body without Content-Encoding");
  } else if (name == "content-length") {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    const bool is_number = !value.empty() && end == value.data() + value.size() &&
                           value.find_first_not_of("0123456789") == value.npos;
    if (is_number && (error == std::errc::result_out_of_range || length > kMostBody)) {
      headers.refusal =
          refused(413, "expected a body of at most " + std::to_string(kMostBody) + " bytes");
    } else if (!is_number || headers.length.value_or(length) != length) {
      headers.refusal = refused(400, "Content-Length: expected one number");
    }
    headers.length = length;
  }
}

// Checks the lines of a head that is complete, or as much as has come.
Frame check_head(std::string_view head, bool complete) {
  Headers headers;
  std::string_view method;
  for (bool first = true; !head.empty(); first = false) {
    const std::size_t end = head.find('\n');
    const std::string_view line = head.substr(0, end == head.npos ? head.size() : end - (end > 0));
    const bool whole = end != head.npos;
    if (std::ranges::any_of(line, is_control) && !(line.ends_with('\r') && !whole))
      return refused(400, "expected HTTP, received control characters");
    if (!whole) break;
    if (end == 0 || head[end - 1] != '\r')
      return refused(400, "expected lines that end in CR LF, received a bare LF");
    if (first && !is_request_line(line))
      return refused(400, "expected METHOD /PATH HTTP/1.1, received something else");
    if (first) method = line.substr(0, line.find(' '));
    if (!first && !line.empty()) read_header(line, headers);
    if (headers.refusal.state == State::refused) return headers.refusal;
    head.remove_prefix(end + 1);
  }
  if (!complete) return {};
  if (!headers.length && (method == "POST" || method == "PUT" || method == "PATCH"))
    return refused(411, "expected a Content-Length, received none");
  return {.state = State::complete, .body = headers.length.value_or(0)};
}

}  // namespace

Frame find_frame(std::string_view bytes) {
  const std::string_view start = bytes.substr(0, kMostHead);
  const std::size_t blank = start.find("\r\n\r\n");
  const bool complete = blank != start.npos;
  Frame frame = check_head(start.substr(0, complete ? blank + 4 : start.size()), complete);
  if (frame.state == State::refused) return frame;
  if (!complete) {
    return bytes.size() < kMostHead ? frame
                                    : refused(431, "expected headers of at most " +
                                                       std::to_string(kMostHead) + " bytes");
  }
  frame.head = blank + 4;
  if (bytes.size() - frame.head < frame.body) frame.state = State::incomplete;
  return frame;
}

}  // namespace halfstep::http
