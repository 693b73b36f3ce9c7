// One connection of a listener.
#ifndef HALFSTEP_HTTP_CONNECTION_H_
#define HALFSTEP_HTTP_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "halfstep/http/sockets.h"

namespace halfstep::http {

enum class Stage {
  receiving,  // a request, or idle
  handling,   // a thread has the request
  sending,    // the answer
  lingering,  // refused: what comes is thrown away until the client closes, so that it can read why
};

struct Connection {
  using Clock = std::chrono::steady_clock;

  Descriptor socket;
  std::string address;
  Stage stage = Stage::receiving;
  Clock::time_point since = Clock::now();  // the first byte of the request, or the last progress
  std::string in;
  std::string out;
  std::size_t sent = 0;            // of `out`
  bool closes = false;             // after the answer
  bool lingers = false;            // likewise
  std::atomic<bool> gone = false;  // the client has closed it while its request is handled
};

enum class Transfer {
  done,     // all that there is for now
  blocked,  // the client does not read
  failed,   // the client has closed the connection, or it broke
};

// Appends what has come to `in`, until that has `most` bytes. done or failed.
Transfer receive_bytes(Connection& connection, std::size_t most);

// Sends the rest of `out`, as far as the client takes it.
Transfer send_bytes(Connection& connection);

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_CONNECTION_H_
