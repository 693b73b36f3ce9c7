#include "tests/http/running_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace halfstep::http::test {

RunningServer::RunningServer(std::vector<ServedModel> models, ServerOptions options)
    : server_(
          std::move(models),
          [&] {
            options.port = 0;
            return options;
          }(),
          [this](const Record& record) { records_.push_back(record); }),
      thread_([this] { cancelled_ = server_.run(stop_); }) {}

size_t RunningServer::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return cancelled_;
}

Client::Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = 20};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("no server at port " + std::to_string(port));
}

void Client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

Reply Client::receive() {
  while (true) {
    const size_t end = in_.find("\r\n\r\n");
    if (end != std::string::npos) {
      Reply reply{.head = in_.substr(0, end + 2)};
      reply.status = std::stoi(reply.head.substr(9, 3));
      const size_t length = reply.head.find("Content-Length: ");
      const size_t size = std::stoul(reply.head.substr(length + 16));
      if (in_.size() >= end + 4 + size) {
        reply.body = in_.substr(end + 4, size);
        in_.erase(0, end + 4 + size);
        return reply;
      }
    }
    if (!receive_more()) return {};
  }
}

void Client::wait_for_byte() const {
  char byte = 0;
  (void)!::recv(socket_.get(), &byte, 1, MSG_PEEK);
}

std::string Client::receive_all() {
  while (receive_more()) continue;
  return std::exchange(in_, {});
}

bool Client::receive_more() {
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (count > 0) in_.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

Reply Client::ask(const std::string& method, const std::string& path, const std::string& body,
                  const std::string& headers) {
  const std::string length =
      body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + length + "\r\n" + body);
  return receive();
}

Reply ask(int port, const std::string& method, const std::string& path, const std::string& body,
          const std::string& headers) {
  return Client(port).ask(method, path, body, headers);
}

}  // namespace halfstep::http::test
