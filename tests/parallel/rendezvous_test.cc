#include "halfstep/parallel/rendezvous.h"

#include <gtest/gtest.h>

#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "tests/parallel/free_port.h"

namespace halfstep::parallel {
namespace {

// A launcher's store, which outlives the processes.
class Launcher {
 public:
  Launcher()
      : store(c10::make_intrusive<c10d::TCPStore>(
            "127.0.0.1", c10d::TCPStoreOptions{.port = port_, .isServer = true})) {}

  LaunchEnvironment place(int rank) const {
    return {.rank = rank,
            .size = 2,
            .master_host = "127.0.0.1",
            .master_port = port_,
            .launcher_has_store = true};
  }

  // Both processes meet, and each leaves its word.
  void start(const std::string& word) const {
    std::vector<std::thread> processes;
    for (const int rank : {0, 1}) {
      processes.emplace_back([&, rank] {
        const c10::intrusive_ptr<c10d::Store> met = meet(place(rank));
        EXPECT_FALSE(met->check({"word/" + std::to_string(rank)}));
        met->set("word/" + std::to_string(rank), word);
        EXPECT_EQ(met->get_to_str("word/" + std::to_string(1 - rank)), word);
      });
    }
    for (std::thread& process : processes) process.join();
  }

 private:
  const uint16_t port_ = test::free_port();

 public:
  const c10::intrusive_ptr<c10d::Store> store;
};

TEST(Meet, EachStartIsByItself) {
  const Launcher launcher;
  launcher.start("first");
  launcher.start("second");
  launcher.start("third");
}

TEST(Meet, AStartThatSomebodyMissedDoesNotDisturbTheNext) {
  const Launcher launcher;
  launcher.start("first");
  launcher.store->add("halfstep/start", 1);  // rank 0 came, and ended before rank 1
  launcher.start("third");
}

TEST(AddressTowards, ThisHostIsTheLoopbackInterface) {
  EXPECT_EQ(address_towards("127.0.0.1", 29500), "127.0.0.1");
  EXPECT_EQ(address_towards("no.such.host.invalid", 29500), "");
}

}  // namespace
}  // namespace halfstep::parallel
