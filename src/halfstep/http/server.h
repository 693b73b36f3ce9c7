// The server: connections, routes, queue and models together.
#ifndef HALFSTEP_HTTP_SERVER_H_
#define HALFSTEP_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/stop_token.h"
#include "halfstep/http/exchange.h"
#include "halfstep/http/served_model.h"

namespace halfstep::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8000;                                    // 0: any free one
  std::optional<std::string> api_key = std::nullopt;  // required for a host that is not loopback
  std::size_t batch = 64;                             // images per batch
  std::size_t queue = 128;                            // requests that may wait
  std::chrono::seconds grace{30};                     // for accepted requests, once it stops
};

// Throws ConfigError for values out of range, and for a host other than loopback without a key.
void validate(const ServerOptions& options);

class Server {
 public:
  // Listens, but answers nothing yet. Throws as validate does, and IoError if it cannot listen.
  Server(std::vector<ServedModel> models, const ServerOptions& options,
         OnExchange on_exchange = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;

  // Serves until `stop` asks for the end. Then refuses new work, finishes what was accepted within
  // options.grace, and returns. Returns the number of requests that did not finish. Call it once.
  std::size_t run(StopToken stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_SERVER_H_
