// Connections: one thread waits for all of them, collects whole requests and sends the answers. A
// pool of threads handles the requests. So a client that is slow or idle holds a descriptor and a
// few kilobytes, but no thread.
#ifndef HALFSTEP_HTTP_LISTENER_H_
#define HALFSTEP_HTTP_LISTENER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "halfstep/http/exchange.h"

namespace halfstep::http {

struct ListenerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                    // 0: any free one
  std::size_t threads = 16;        // that handle requests
  std::size_t connections = 2048;  // at once; beyond, the one that has been idle longest is closed
  std::chrono::milliseconds request_time{10'000};  // from the first byte of a request to its last
  std::chrono::milliseconds idle_time{1000 * kIdleSeconds};
  std::chrono::milliseconds send_time{30'000};  // in which a client reads nothing of an answer
};

class Listener {
 public:
  // Listens, but accepts nothing yet. Throws IoError if it cannot, such as for a port in use.
  Listener(const ListenerOptions& options, Handler handler, OnExchange on_exchange = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const;

  // Serves until stop().
  void run();

  // Makes run() return once the requests that are being handled are answered, after send_time at
  // the latest. Thread-safe.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_LISTENER_H_
