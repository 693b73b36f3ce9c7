#include "halfstep/http/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace halfstep::http {
namespace {

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Transfer receive_bytes(Connection& connection, std::size_t most) {
  std::array<char, 16 * 1024> buffer;
  while (connection.in.size() < most) {
    const ssize_t count = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return would_block() ? Transfer::done : Transfer::failed;
    if (count == 0) return Transfer::failed;
    if (connection.in.empty()) connection.since = Connection::Clock::now();
    connection.in.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return Transfer::done;
}

Transfer send_bytes(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const ssize_t count = ::send(connection.socket.get(), connection.out.data() + connection.sent,
                                 connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return would_block() ? Transfer::blocked : Transfer::failed;
    connection.sent += static_cast<std::size_t>(count);
    connection.since = Connection::Clock::now();
  }
  connection.out = {};
  return Transfer::done;
}

}  // namespace halfstep::http
