#include "halfstep/parallel/rendezvous.h"

#include <gtest/gtest.h>

#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "tests/parallel/free_port.h"

namespace halfstep::parallel {
namespace {

// The store of a launcher, which outlives the processes.
class Launcher {
 public:
  Launcher()
      : store(c10::make_intrusive<c10d::TCPStore>(
            "127.0.0.1", c10d::TCPStoreOptions{.port = port_, .isServer = true})) {}

  LaunchEnvironment environment_of(int rank) const {
    return {.rank = rank,
            .size = 2,
            .master_host = "127.0.0.1",
            .master_port = port_,
            .launcher_has_store = true};
  }

  // Connects both processes; each writes `word`, and reads that of the other.
  void start(const std::string& word) const {
    std::vector<std::thread> processes;
    for (const int rank : {0, 1}) {
      processes.emplace_back([&, rank] {
        const c10::intrusive_ptr<c10d::Store> shared = rendezvous(environment_of(rank));
        EXPECT_FALSE(shared->check({"word/" + std::to_string(rank)}));
        shared->set("word/" + std::to_string(rank), word);
        EXPECT_EQ(shared->get_to_str("word/" + std::to_string(1 - rank)), word);
      });
    }
    for (std::thread& process : processes) process.join();
  }

 private:
  const uint16_t port_ = test::free_port();

 public:
  const c10::intrusive_ptr<c10d::Store> store;
};

TEST(Rendezvous, StartsDoNotSeeEachOther) {
  const Launcher launcher;
  launcher.start("first");
  launcher.start("second");
  launcher.start("third");
}

TEST(Rendezvous, AnIncompleteStartDoesNotDisturbTheNext) {
  const Launcher launcher;
  launcher.start("first");
  launcher.store->add("halfstep/start", 1);  // rank 0 arrived, and ended before rank 1 did
  launcher.start("third");
}

TEST(AddressTowards, ThisHostIsTheLoopbackInterface) {
  EXPECT_EQ(address_towards("127.0.0.1", 29500), "127.0.0.1");
  EXPECT_EQ(address_towards("no.such.host.invalid", 29500), "");
}

}  // namespace
}  // namespace halfstep::parallel
