#include "halfstep/http/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "halfstep/core/error.h"

namespace halfstep::http {
namespace {

constexpr int kBacklog = 1024;  // connections that the system holds before they are accepted

// httplib resolves the host and binds.
class Binder : public httplib::Server {
 public:
  // Returns the socket, or -1.
  int bind(const std::string& host, int port) {
    // httplib's default, SO_REUSEPORT, would let two servers share a port unnoticed.
    set_socket_options([](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    const bool bound = port == 0 ? bind_to_any_port(host) > 0 : bind_to_port(host, port);
    return bound ? svr_sock_.load() : -1;
  }
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this == &other) return *this;
  close();
  std::swap(fd_, other.fd_);
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Descriptor listen_at(const std::string& host, int port) {
  const std::string where = host + ":" + std::to_string(port);
  errno = 0;
  Descriptor socket(Binder().bind(host, port));
  if (!socket.is_open()) {
    throw IoError(where, std::string("expected an address of this machine and a free port, "
                                     "received: ") +
                             (errno != 0 ? std::strerror(errno) : "an unknown host"));
  }
  // More connections wait than httplib asks for; nothing blocks.
  if (::listen(socket.get(), kBacklog) != 0 ||
      ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK) != 0)
    throw IoError(where, std::string("cannot listen: ") + std::strerror(errno));
  return socket;
}

int port_of(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

Accepted accept_at(const Descriptor& listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  Accepted accepted{.socket =
                        Descriptor(::accept4(listening.get(), reinterpret_cast<sockaddr*>(&address),
                                             &size, SOCK_NONBLOCK | SOCK_CLOEXEC))};
  if (!accepted.socket.is_open()) {
    accepted.is_full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return accepted;
  }
  const int yes = 1;
  ::setsockopt(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const number =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&address)->sin_addr);
  if (::inet_ntop(address.ss_family, number, text.data(), text.size()) != nullptr)
    accepted.address = text.data();
  return accepted;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65'536));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : 256;
}

}  // namespace halfstep::http
