#include "halfstep/http/server.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/base64.h"
#include "halfstep/io/image.h"
#include "tests/http/running_server.h"
#include "tests/support/expect_throws.h"

namespace halfstep::http {
namespace {

using std::chrono::seconds;
using test::ask;
using test::Client;
using test::Fake;
using test::fake_model;
using test::Reply;
using test::RunningServer;

const std::string kGenerations = "/v1/images/generations";

std::string png_of(const Row& row) {
  const std::vector<std::byte> png = io::encode_png(test::drawn_for(row).image);
  return io::base64({reinterpret_cast<const char*>(png.data()), png.size()});
}

void wait_for_state(int port, const std::string& id, const std::string& state) {
  for (int look = 0; look < 2000; ++look) {
    if (ask(port, "GET", "/v1/jobs/" + id).json()["state"] == state) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "never " << state;
}

TEST(Server, AnswersImagesWithTheirSeedsClassesAndModel) {
  Fake fake;
  RunningServer server({fake_model("a", fake)});
  const Reply reply =
      ask(server.port(), "POST", kGenerations, R"({"model": "a", "n": 2, "seed": 5, "class": 3})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto data = reply.json()["data"];
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[1]["b64_json"], png_of({.seed = 6, .label = 3}));
  EXPECT_EQ(data[1]["seed"], 6);
  EXPECT_EQ(data[1]["steps"], 4);
  EXPECT_EQ(data[1]["class"], 3);
  EXPECT_EQ(data[1]["model_sha256"], "0123");
  EXPECT_GT(reply.json()["created"], 1'700'000'000);
}

TEST(Server, AnswersLosslessWebp) {
  Fake fake;
  RunningServer server({fake_model("a", fake)});
  const Reply reply =
      ask(server.port(), "POST", kGenerations, R"({"seed": 300, "format": "webp"})");
  const io::Image image{2, 2, 1, test::drawn_for({.seed = 300}).image.pixels};
  const std::vector<std::byte> webp = io::encode_webp(image);
  EXPECT_EQ(reply.json()["data"][0]["b64_json"],
            io::base64({reinterpret_cast<const char*>(webp.data()), webp.size()}));
  const io::Image decoded = io::decode_image(webp, "webp");
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(decoded.pixels[i], image.pixels[i / 3]);
}

TEST(Server, DescribesModelsHealthAndMetrics) {
  Fake fake;
  RunningServer server({fake_model("a", fake), fake_model("b", fake, 1)});
  Client client(server.port());  // one connection for all
  const auto models = client.ask("GET", "/v1/models").json()["data"];
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[1]["id"], "b");
  EXPECT_EQ(models[1]["steps"], 1);
  EXPECT_EQ(models[1]["size"], "2x2");
  EXPECT_EQ(models[1]["classes"].size(), 10u);
  EXPECT_EQ(models[1]["guidance"]["max"], 10.0);
  EXPECT_EQ(client.ask("GET", "/health").json()["status"], "ok");
  client.ask("POST", kGenerations, R"({"model": "b", "n": 3})");
  EXPECT_EQ(client.ask("GET", "/none").status, 404);
  const Reply metrics = client.ask("GET", "/metrics");
  EXPECT_NE(metrics.body.find("halfstep_images_total{model=\"b\"} 3\n"), std::string::npos);
  EXPECT_NE(client.ask("GET", "/?seed=3").body.find("<html"), std::string::npos);
}

TEST(Server, RefusesWhatIsWrong) {
  Fake fake;
  RunningServer server({fake_model("a", fake)});
  const auto status = [&](const char* method, const std::string& path, const std::string& body) {
    return ask(server.port(), method, path, body).status;
  };
  EXPECT_EQ(status("POST", kGenerations, "{}"), 200);
  EXPECT_EQ(status("POST", kGenerations, R"({"n": 0})"), 400);
  EXPECT_EQ(status("POST", kGenerations, R"({"model": "b"})"), 404);
  EXPECT_EQ(status("POST", kGenerations, ""), 411);
  EXPECT_EQ(status("POST", kGenerations, std::string(100'000, ' ')), 413);
  EXPECT_EQ(status("GET", kGenerations, ""), 405);
  EXPECT_EQ(status("GET", "/v1/jobs/0123", ""), 404);
  EXPECT_EQ(status("DELETE", "/v1/jobs/0123", ""), 404);
  EXPECT_EQ(status("GET", "/../../etc/passwd", ""), 404);
  EXPECT_EQ(status("GET", "/%2e%2e/%2e%2e/etc/passwd", ""), 404);
  const Reply reply = ask(server.port(), "POST", kGenerations, R"({"n": 0})");
  EXPECT_EQ(reply.json()["error"]["message"], "n: expected 1 to 64, received 0");
  EXPECT_EQ(
      ask(server.port(), "POST", kGenerations, "{}", "Origin: http://evil.example\r\n").status,
      403);
  EXPECT_EQ(ask(server.port(), "POST", kGenerations, "{}", "Origin: http://localhost\r\n").status,
            200);
}

TEST(Server, WantsTheKeyIfThereIsOne) {
  Fake fake;
  RunningServer server({fake_model("a", fake)}, {.api_key = "a-secret-of-16-characters"});
  const auto status = [&](const std::string& path, const std::string& headers) {
    return ask(server.port(), "GET", path, "", headers).status;
  };
  EXPECT_EQ(status("/v1/models", ""), 401);
  EXPECT_EQ(status("/metrics", "Authorization: Bearer a-secret-of-16-character\r\n"), 401);
  EXPECT_EQ(status("/v1/models", "Authorization: Bearer a-secret-of-16-characters\r\n"), 200);
  EXPECT_EQ(status("/health", ""), 200);
  EXPECT_EQ(status("/", ""), 200);
  EXPECT_EQ(ask(server.port(), "POST", "/v1/jobs", "{}").status, 401);
}

TEST(Server, HostsThatOthersReachNeedAKey) {
  EXPECT_NO_THROW(validate(ServerOptions{.host = "127.0.0.5"}));
  EXPECT_NO_THROW(validate(ServerOptions{.host = "::1"}));
  EXPECT_NO_THROW(validate(ServerOptions{.host = "0.0.0.0", .api_key = "k"}));
  halfstep::test::expect_throws<ConfigError>({"--host", "--api-key-file"},
                                             [] { validate(ServerOptions{.host = "0.0.0.0"}); });
}

TEST(Server, JobsAreQueuedRunDoneAndCancelled) {
  Fake fake{.blocked = true};
  RunningServer server({fake_model("a", fake)}, {.batch = 1});
  const auto create = [&] {
    const Reply reply = ask(server.port(), "POST", "/v1/jobs", R"({"seed": 8})");
    EXPECT_EQ(reply.status, 202);
    return reply.json()["id"].get<std::string>();
  };
  const auto show = [&](const std::string& id) {
    return ask(server.port(), "GET", "/v1/jobs/" + id).json();
  };
  const std::string first = create();
  wait_for_state(server.port(), first, "running");
  EXPECT_EQ(show(first)["step"], 1);
  EXPECT_EQ(show(first)["steps"], 4);
  const std::string second = create(), third = create();
  EXPECT_EQ(show(third)["state"], "queued");
  EXPECT_EQ(show(third)["position"], 1);
  EXPECT_EQ(ask(server.port(), "DELETE", "/v1/jobs/" + second).json()["state"], "cancelled");
  EXPECT_EQ(show(third)["position"], 0);
  EXPECT_EQ(ask(server.port(), "DELETE", "/v1/jobs/" + first).json()["state"], "cancelled");
  fake.blocked = false;
  wait_for_state(server.port(), third, "done");
  EXPECT_EQ(show(third)["data"][0]["b64_json"], png_of({.seed = 8}));
}

TEST(Server, AFullQueueIsRefusedWithATimeToWait) {
  Fake fake{.blocked = true};
  RunningServer server({fake_model("a", fake)}, {.batch = 1, .queue = 1});
  ask(server.port(), "POST", "/v1/jobs", "{}");
  fake.wait_for_step(1);
  ask(server.port(), "POST", "/v1/jobs", "{}");
  const Reply reply = ask(server.port(), "POST", kGenerations, "{}");
  EXPECT_EQ(reply.status, 429);
  EXPECT_NE(reply.head.find("Retry-After: 1\r\n"), std::string::npos);
  fake.blocked = false;
}

TEST(Server, AClientThatLeavesIsNoticed) {
  Fake fake{.blocked = true};
  RunningServer server({fake_model("a", fake, 1'000'000)});
  Client client(server.port());
  client.send("POST " + kGenerations + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  fake.wait_for_step(1);
  client.close();
  // The batch ends although it is blocked, because nobody wants it.
  EXPECT_EQ(server.stop(), 0u);
  EXPECT_EQ(server.records().back().status, kClientGone);
}

TEST(Server, StopFinishesWhatWasAccepted) {
  Fake fake{.blocked = true};
  RunningServer server({fake_model("a", fake)});
  Client waiting(server.port());
  waiting.send("POST " + kGenerations + " HTTP/1.1\r\nContent-Length: 11\r\n\r\n{\"seed\": 4}");
  fake.wait_for_step(1);
  server.begin_stop();
  while (ask(server.port(), "GET", "/health").status != 503) continue;
  EXPECT_EQ(ask(server.port(), "POST", kGenerations, "{}").status, 503);
  fake.blocked = false;
  EXPECT_EQ(waiting.receive().json()["data"][0]["b64_json"], png_of({.seed = 4}));
  EXPECT_EQ(server.stop(), 0u);
}

TEST(Server, StopCancelsWhatTakesTooLong) {
  Fake fake{.blocked = true};
  RunningServer server({fake_model("a", fake)}, {.grace = seconds(0)});
  Client waiting(server.port());
  waiting.send("POST " + kGenerations + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  fake.wait_for_step(1);
  EXPECT_EQ(server.stop(), 1u);
  EXPECT_EQ(waiting.receive().status, 503);
}

TEST(Server, AFailureIsAnsweredAndNotTheEnd) {
  Fake fake{.fails = true};
  RunningServer server({fake_model("a", fake)});
  const Reply reply = ask(server.port(), "POST", kGenerations, "{}");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.json()["error"]["message"], "a broken network");
  fake.fails = false;
  EXPECT_EQ(ask(server.port(), "POST", kGenerations, "{}").status, 200);
}

}  // namespace
}  // namespace halfstep::http
