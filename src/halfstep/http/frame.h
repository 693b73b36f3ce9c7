// Where a request ends in the bytes of a connection, so that only whole requests are handed on.
#ifndef HALFSTEP_HTTP_FRAME_H_
#define HALFSTEP_HTTP_FRAME_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace halfstep::http {

inline constexpr std::size_t kMostHead = 8 * 1024;   // bytes: the request line and the headers
inline constexpr std::size_t kMostBody = 16 * 1024;  // bytes

struct Frame {
  enum class State { incomplete, complete, refused };
  State state = State::incomplete;
  std::size_t head = 0;  // bytes, with the empty line; 0 if it is not complete
  std::size_t body = 0;  // bytes, as Content-Length says
  int status = 0;        // of a refused request, such as 413
  std::string reason = {};
};

// Looks for a request at the beginning of `bytes`. A body must have a Content-Length (411) and no
// encoding (415). Refuses what is larger than the limits above (431, 413), and heads that are not
// HTTP/1.0 or 1.1 as RFC 9112 defines it (400), as early as can be.
Frame find_frame(std::string_view bytes);

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_FRAME_H_
