#include "halfstep/parallel/rendezvous.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "halfstep/core/error.h"

namespace halfstep::parallel {
namespace {

using Clock = std::chrono::steady_clock;
using StorePtr = c10::intrusive_ptr<c10d::Store>;

constexpr std::chrono::milliseconds kPause{20};

// Polls until `found()`. Throws IoError after kJoinTimeout.
template <class Found>
void wait_until(const Found& found) {
  const Clock::time_point end = Clock::now() + kJoinTimeout;
  while (!found()) {
    if (Clock::now() > end)
      throw IoError("processes", "expected all processes to arrive, received too few");
    std::this_thread::sleep_for(kPause);
  }
}

std::string go_key(int64_t start) { return "halfstep/go/" + std::to_string(start); }
std::string here_key(int64_t start, int rank) {
  return "halfstep/here/" + std::to_string(start) + "/" + std::to_string(rank);
}

// Rank 0 announces a start under a new number. The other ranks answer the newest start that has not
// been released, and rank 0 releases it once all have answered. So no process joins a start that
// belongs to an earlier set of processes.
int64_t agree_on_start(const StorePtr& store, const LaunchEnvironment& launch) {
  constexpr const char* kStart = "halfstep/start";
  if (launch.rank == 0) {
    const int64_t start = store->add(kStart, 1);
    for (int rank = 1; rank < launch.size; ++rank)
      wait_until([&] { return store->check({here_key(start, rank)}); });
    store->set(go_key(start), std::string("go"));
    return start;
  }
  int64_t answered = 0;
  wait_until([&] {
    const int64_t start = store->add(kStart, 0);
    const bool released = start == 0 || store->check({go_key(start)});
    if (released) return start == answered && start != 0;
    if (start != answered) store->set(here_key(start, launch.rank), std::string("here"));
    answered = start;
    return false;
  });
  return answered;
}

}  // namespace

StorePtr rendezvous(const LaunchEnvironment& launch) {
  const std::string where = launch.master_host + ":" + std::to_string(launch.master_port);
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(
        launch.master_host,
        c10d::TCPStoreOptions{.port = launch.master_port,
                              .isServer = launch.rank == 0 && !launch.launcher_has_store,
                              .waitWorkers = false,
                              .timeout = kJoinTimeout});
    const int64_t start = agree_on_start(store, launch);
    return c10::make_intrusive<c10d::PrefixStore>("halfstep/" + std::to_string(start), store);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    throw IoError("MASTER_ADDR", "expected the processes to connect to " + where +
                                     ", received: " + reason.substr(0, reason.find('\n')));
  }
}

std::string address_towards(const std::string& host, uint16_t port) {
  addrinfo* found = nullptr;
  const addrinfo hints{.ai_socktype = SOCK_DGRAM};
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  // Connecting a UDP socket sends nothing; it only looks up the route.
  const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage own{};
  socklen_t length = sizeof(own);
  std::array<char, NI_MAXHOST> text{};
  const bool known = fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                     ::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text.data(),
                                   text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return known ? text.data() : "";
}

}  // namespace halfstep::parallel
