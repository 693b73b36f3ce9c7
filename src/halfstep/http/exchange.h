// One request and its answer, as a handler sees them and as bytes.
#ifndef HALFSTEP_HTTP_EXCHANGE_H_
#define HALFSTEP_HTTP_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::http {

struct Request {
  std::string method;  // HEAD is given as GET
  std::string path;    // decoded, without the query
  std::string_view body;
  std::string authorization;             // the headers of these names, or empty
  std::string host;                      //
  std::string origin;                    //
  std::function<bool()> client_is_gone;  // whether it has closed the connection
};

struct Answer {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  // For the log.
  std::string model = {};
  int64_t images = 0;
};

using Handler = std::function<Answer(const Request& request)>;

// An idle connection is closed after this time.
inline constexpr int kIdleSeconds = 60;

// The status of an answer that was not sent because the client was gone, as nginx has it.
inline constexpr int kClientGone = 499;

// What was asked and answered, for the log.
struct Record {
  std::string client = {};  // its address
  std::string method = {};
  std::string path = {};
  int status = 0;
  double seconds = 0.0;   // from the whole request to the answer
  std::size_t bytes = 0;  // of the answer
  std::string model = {};
  int64_t images = 0;
};

// Called for every answer, by one thread at a time.
using OnExchange = std::function<void(const Record& record)>;

struct Response {
  std::string bytes;
  bool keeps_connection = false;
  Record record;
};

// Returns the body of an error, in the form of OpenAI's API.
std::string error_body(int status, std::string_view message);

// Parses a request, whose head and body frame.h has found in `bytes`, calls the handler, and writes
// its answer. A handler that throws is answered with 500.
Response respond(std::string_view bytes, std::size_t head, const Handler& handler,
                 const std::function<bool()>& client_is_gone);

// Writes the answer to something that is no whole request, after which the connection is closed.
Response refuse(int status, std::string_view reason);

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_EXCHANGE_H_
