// Descriptors and system calls of the server.
#ifndef HALFSTEP_HTTP_SOCKETS_H_
#define HALFSTEP_HTTP_SOCKETS_H_

#include <cstddef>
#include <string>

namespace halfstep::http {

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_;
};

// Returns a socket that listens at host and port, which does not block; 0 is any free port. Throws
// IoError.
Descriptor listen_at(const std::string& host, int port);

// Returns the port of a socket.
int port_of(const Descriptor& socket);

// Returns whether a host name means this machine only: 127.0.0.0/8, ::1 or localhost.
bool is_loopback(const std::string& host);

// A connection that was accepted, and the address of the client. Not open if there is none to
// accept, or no descriptor left (is_full).
struct Accepted {
  Descriptor socket;
  std::string address = {};
  bool is_full = false;
};
Accepted accept_at(const Descriptor& listening);

// Raises the limit of open descriptors as far as the process may, and returns it.
std::size_t raise_descriptor_limit();

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_SOCKETS_H_
