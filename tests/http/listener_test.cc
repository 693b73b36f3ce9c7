#include "halfstep/http/listener.h"

#include <gtest/gtest.h>

#include <random>

#include "halfstep/core/error.h"
#include "halfstep/http/frame.h"
#include "tests/http/running_server.h"
#include "tests/support/expect_throws.h"

namespace halfstep::http {
namespace {

using std::chrono::milliseconds;
using test::ask;
using test::Client;

// A listener whose handler answers what it was sent.
class Echo {
 public:
  explicit Echo(ListenerOptions options = {})
      : listener_(options,
                  [](const Request& request) {
                    return Answer{.body = request.method + request.path + std::string(request.body),
                                  .type = "text/plain"};
                  }),
        thread_([this] { listener_.run(); }) {}
  ~Echo() {
    listener_.stop();
    thread_.join();
  }
  int port() const { return listener_.port(); }
  bool answers() const { return ask(port(), "GET", "/x").body == "GET/x"; }

 private:
  Listener listener_;
  std::thread thread_;
};

TEST(Listener, AnswersSeveralRequestsOfAConnectionInTurn) {
  const Echo echo;
  Client client(echo.port());
  client.send("GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /3");
  EXPECT_EQ(client.receive().body, "GET/1");
  EXPECT_EQ(client.receive().body, "POST/2ab");
  client.send(" HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.receive().body, "GET/3");
  EXPECT_EQ(client.receive().status, 0);  // closed
}

TEST(Listener, AnswersHeadWithoutABody) {
  const Echo echo;
  Client client(echo.port());
  client.send("HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string all = client.receive_all();
  EXPECT_NE(all.find("Content-Length: 5\r\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("GET/1"), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\nGET/2")) << all;
}

TEST(Listener, TakesARequestByteByByte) {
  const Echo echo;
  Client client(echo.port());
  for (const char byte : std::string("POST /a%20b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"))
    client.send({&byte, 1});
  EXPECT_EQ(client.receive().body, "POST/a bxyz");
}

TEST(Listener, APortInUseIsAnError) {
  const Echo echo;
  halfstep::test::expect_throws<IoError>({"127.0.0.1:", "in use"}, [&] {
    Listener({.port = echo.port()}, [](const Request&) { return Answer{}; });
  });
}

TEST(Listener, SlowRequestsAreRefused) {
  const Echo echo({.request_time = milliseconds(150)});
  Client slow(echo.port());
  slow.send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  EXPECT_EQ(slow.receive().status, 408);
  EXPECT_EQ(slow.receive().status, 0);
}

TEST(Listener, IdleConnectionsAreClosedInTime) {
  const Echo echo({.idle_time = milliseconds(150)});
  Client idle(echo.port());
  EXPECT_EQ(idle.receive().status, 0);
}

TEST(Listener, ThoseIdleLongestGiveWayToOthers) {
  const Echo echo({.threads = 2, .connections = 20});
  std::vector<Client> idle;
  for (int k = 0; k < 100; ++k) {
    idle.emplace_back(echo.port());
    if (k % 2 == 0) idle.back().send("GET / HT");
  }
  EXPECT_TRUE(echo.answers());
  EXPECT_EQ(idle.back().ask("GET", "/").status, 200);
  EXPECT_EQ(idle.front().receive().status, 0);
}

TEST(Listener, AClientThatDoesNotReadIsClosed) {
  Listener listener({.send_time = milliseconds(150)},
                    [](const Request&) { return Answer{.body = std::string(30'000'000, 'x')}; });
  std::thread thread([&] { listener.run(); });
  Client client(listener.port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  client.wait_for_byte();
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_EQ(client.receive().status, 0);  // a part of it, then the end
  listener.stop();
  thread.join();
}

TEST(Listener, HostileBytesHarmNobody) {
  const Echo echo({.request_time = milliseconds(500)});
  std::mt19937_64 random(1);
  std::vector<Client> clients;
  for (int k = 0; k < 100; ++k) {
    std::string bytes(random() % 40'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    clients.emplace_back(echo.port());
    clients.back().send(bytes.empty() ? "\n" : bytes);
  }
  for (Client& client : clients) EXPECT_EQ(client.receive().status, 400);
  EXPECT_EQ(ask(echo.port(), "GET", "/", "", "A: " + std::string(kMostHead, 'a') + "\r\n").status,
            431);
  EXPECT_EQ(ask(echo.port(), "GET", "/" + std::string(kMostHead - 100, '%')).status, 200);
  const std::string ranges = "Range: bytes=0-1" + std::string(2000, ',') + "\r\n";
  EXPECT_EQ(ask(echo.port(), "GET", "/", "", ranges).status, 416);
  std::string many = "Range: bytes=0-0";
  while (many.size() < kMostHead - 200) many += ",1-1";
  EXPECT_GE(ask(echo.port(), "GET", "/", "", many + "\r\n").status, 200);
  EXPECT_TRUE(echo.answers());
}

}  // namespace
}  // namespace halfstep::http
