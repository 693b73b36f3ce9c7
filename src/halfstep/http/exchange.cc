#include "halfstep/http/exchange.h"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

namespace halfstep::http {
namespace {

// The bytes of a request to read from, and the bytes of the answer.
class Bytes final : public httplib::Stream {
 public:
  explicit Bytes(std::string_view in) : in_(in) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, size_t size) override {
    const size_t count = std::min(size, in_.size());
    std::copy_n(in_.data(), count, out);
    in_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    out.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

  std::string out;

 private:
  std::string_view in_;
};

// httplib's parser of requests and writer of answers. Its routes are not used: the handler is
// called before them.
class OneRequest : private httplib::Server {
 public:
  OneRequest(std::string_view body, const http::Handler& handler,
             const std::function<bool()>& client_is_gone) {
    set_pre_routing_handler([&, body](const httplib::Request& from, httplib::Response& to) {
      answer_ = handler({.method = from.method == "HEAD" ? "GET" : from.method,
                         .path = from.path,
                         .body = body,
                         .authorization = from.get_header_value("Authorization"),
                         .host = from.get_header_value("Host"),
                         .origin = from.get_header_value("Origin"),
                         .client_is_gone = client_is_gone});
      to.status = answer_.status;
      for (const auto& [name, value] : answer_.headers) to.set_header(name, value);
      to.set_content(answer_.body, answer_.type);
      return HandlerResponse::Handled;
    });
    set_exception_handler([&](const httplib::Request&, httplib::Response& to, std::exception_ptr) {
      answer_ = {.status = 500, .body = error_body(500, "the server failed")};
      to.status = 500;
      to.set_content(answer_.body, answer_.type);
    });
    set_error_handler([&](const httplib::Request&, httplib::Response& to) {
      answer_.status = to.status;  // 400, 414 or 416 if there was no request to handle
      if (to.body.empty())
        to.set_content(error_body(to.status, "expected an HTTP request"), answer_.type);
    });
    set_keep_alive_max_count(1'000'000);
    set_keep_alive_timeout(kIdleSeconds);
  }

  Response respond(std::string_view head) {
    Bytes stream(head);
    bool closed = false;
    Response response;
    process_request(stream, /*close_connection=*/false, closed, [&](httplib::Request& request) {
      response.record.method = request.method;
      response.record.path = request.path;
      // Images are compressed already; a range of JSON is of use to nobody; the body is there.
      for (const char* name : {"Accept-Encoding", "Range", "Expect"}) request.headers.erase(name);
      request.ranges.clear();
    });
    response.record.status = answer_.status;
    response.record.bytes = stream.out.size();
    response.record.model = answer_.model;
    response.record.images = answer_.images;
    response.keeps_connection = !closed;
    response.bytes = std::move(stream.out);
    return response;
  }

 private:
  Answer answer_;
};

std::string reason_phrase(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Bad Request";
  }
}

}  // namespace

std::string error_body(int status, std::string_view message) {
  const char* const type = status == 429   ? "rate_limit_error"
                           : status == 401 ? "authentication_error"
                           : status >= 500 ? "server_error"
                                           : "invalid_request_error";
  const nlohmann::json body = {{"error", {{"message", message}, {"type", type}, {"code", status}}}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Response respond(std::string_view bytes, std::size_t head, const Handler& handler,
                 const std::function<bool()>& client_is_gone) {
  const auto begin = std::chrono::steady_clock::now();
  Response response =
      OneRequest(bytes.substr(head), handler, client_is_gone).respond(bytes.substr(0, head));
  response.record.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return response;
}

Response refuse(int status, std::string_view reason) {
  const std::string body = error_body(status, reason);
  Response response;
  response.bytes = "HTTP/1.1 " + std::to_string(status) + " " + reason_phrase(status) +
                   "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body;
  response.record = {.status = status, .bytes = response.bytes.size()};
  return response;
}

}  // namespace halfstep::http
