#include "halfstep/http/server.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/http/api.h"
#include "halfstep/http/batcher.h"
#include "halfstep/http/listener.h"
#include "halfstep/http/metrics.h"
#include "halfstep/http/sockets.h"

namespace halfstep::http {
namespace {

constexpr std::size_t kMostBatch = 1024;
constexpr std::size_t kMostQueue = 512;
constexpr std::size_t kMoreThreads = 16;  // for requests that do not wait for images
constexpr std::chrono::milliseconds kLook{50};

void require(bool holds, const char* flag, const std::string& expected, const std::string& value) {
  if (!holds) throw ConfigError(flag, "expected " + expected + ", received " + value);
}

// A request that waits for images holds a thread: as many as the queue takes, and as many in the
// batch, which were in the queue. A part of the descriptors is left for files.
ListenerOptions listener_options(const ServerOptions& options) {
  constexpr std::size_t kOther = 64;
  const std::size_t limit = raise_descriptor_limit();
  ListenerOptions listener{.host = options.host, .port = options.port};
  listener.threads = 2 * options.queue + kMoreThreads;
  listener.connections = std::min(listener.connections, limit > 2 * kOther ? limit - kOther : 64);
  return listener;
}

}  // namespace

void validate(const ServerOptions& options) {
  const auto text = [](auto number) { return std::to_string(number); };
  require(options.port >= 0 && options.port <= 65535, "--port", "0 to 65535", text(options.port));
  require(options.batch >= 1 && options.batch <= kMostBatch, "--batch", "1 to " + text(kMostBatch),
          text(options.batch));
  require(options.queue >= 1 && options.queue <= kMostQueue, "--queue", "1 to " + text(kMostQueue),
          text(options.queue));
  require(options.grace.count() >= 0 && options.grace.count() <= 86'400, "--grace",
          "0 to 86400 seconds", text(options.grace.count()));
  if (!is_loopback(options.host) && !options.api_key) {
    throw ConfigError("--host",
                      "expected --api-key-file for a host that others can reach, received none");
  }
}

struct Server::State {
  State(std::vector<ServedModel> served, const ServerOptions& server_options,
        OnExchange on_exchange)
      : options(server_options),
        models(std::move(served)),
        batcher(models, {.most_waiting = options.queue, .batch = options.batch},
                [this](std::size_t model, std::size_t rows, double seconds) {
                  metrics.count_batch(models[model].id, rows, seconds);
                }),
        api(models, batcher, metrics, options.api_key),
        listener(
            listener_options(options),
            [this](const Request& request) { return api.handle(request); },
            std::move(on_exchange)) {}

  const ServerOptions options;
  const std::vector<ServedModel> models;
  Metrics metrics;
  Batcher batcher;
  Api api;
  Listener listener;
};

Server::Server(std::vector<ServedModel> models, const ServerOptions& options,
               OnExchange on_exchange) {
  validate(options);
  if (models.empty()) throw ConfigError("--model", "expected a model, received none");
  state_ = std::make_unique<State>(std::move(models), options, std::move(on_exchange));
}

Server::~Server() = default;

int Server::port() const { return state_->listener.port(); }

std::size_t Server::run(StopToken stop) {
  std::thread thread([this] { state_->listener.run(); });
  while (!stop.stop_requested()) std::this_thread::sleep_for(kLook);
  state_->api.stop();
  const std::size_t cancelled = state_->batcher.drain(state_->options.grace);
  state_->listener.stop();
  thread.join();
  return cancelled;
}

}  // namespace halfstep::http
