// A server of fake models that runs in this process, and raw connections to it.
#ifndef HALFSTEP_TESTS_HTTP_RUNNING_SERVER_H_
#define HALFSTEP_TESTS_HTTP_RUNNING_SERVER_H_

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "halfstep/http/server.h"
#include "halfstep/http/sockets.h"
#include "tests/http/fake_models.h"

namespace halfstep::http::test {

class RunningServer {
 public:
  explicit RunningServer(std::vector<ServedModel> models, ServerOptions options = {});
  ~RunningServer() { stop(); }

  int port() const { return server_.port(); }
  // Asks for the end, without waiting for it.
  void begin_stop() { stop_ = true; }
  // Stops, and returns what Server::run returned.
  size_t stop();
  // The requests so far. Call it after stop().
  const std::vector<Record>& records() const { return records_; }

 private:
  std::vector<Record> records_;
  std::atomic<bool> stop_ = false;
  Server server_;
  size_t cancelled_ = 0;
  std::thread thread_;
};

struct Reply {
  int status = 0;  // 0: the connection was closed without an answer
  std::string head;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

class Client {
 public:
  explicit Client(int port);

  // Sends bytes; those that the server does not want are lost.
  void send(std::string_view bytes) const;
  // Waits for one whole answer.
  Reply receive();
  // Waits until an answer begins.
  void wait_for_byte() const;
  // Waits until the server closes, and returns what it has sent.
  std::string receive_all();
  // Sends a request with a body, if it is not empty, and waits for the answer.
  Reply ask(const std::string& method, const std::string& path, const std::string& body = "",
            const std::string& headers = "");
  void close() { socket_.close(); }

 private:
  bool receive_more();

  Descriptor socket_;
  std::string in_;
};

// Opens a connection for one request.
Reply ask(int port, const std::string& method, const std::string& path,
          const std::string& body = "", const std::string& headers = "");

}  // namespace halfstep::http::test

#endif  // HALFSTEP_TESTS_HTTP_RUNNING_SERVER_H_
