#include "halfstep/parallel/process_group.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"

namespace halfstep::parallel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

TEST(SingleProcess, KeepsItsValues) {
  SingleProcess group;
  const Tensor values = at::arange(3);
  group.sum(values);
  group.broadcast(values);
  EXPECT_TRUE(at::equal(values, at::arange(3)));
  EXPECT_TRUE(at::equal(group.gather(values).at(0), values));
  EXPECT_TRUE(any(group, true));
  EXPECT_FALSE(any(group, false));
  EXPECT_EQ(broadcast(group, "text"), "text");
  EXPECT_NO_THROW(require_same(group, {{"key", 1}}));
}

TEST(ShardOf, ShardsAreEvenAndCoverAllItems) {
  class Rank final : public ProcessGroup {
   public:
    explicit Rank(int64_t rank) : rank_(rank) {}
    int64_t rank() const override { return rank_; }
    int64_t size() const override { return 3; }
    std::function<void()> begin_sum(const Tensor& /*values*/) override { return {}; }
    void broadcast(const Tensor& /*values*/) override {}
    std::vector<Tensor> gather(const Tensor& /*values*/) override { return {}; }
    void leave() override {}

   private:
    int64_t rank_;
  };
  for (const int64_t items : {0, 2, 3, 7, 128}) {
    int64_t next = 0;
    for (const int64_t rank : {0, 1, 2}) {
      const Shard shard = shard_of(Rank(rank), items);
      EXPECT_EQ(shard.first, next);
      EXPECT_GE(shard.count, items / 3);
      EXPECT_LE(shard.count, (items + 2) / 3);
      next += shard.count;
    }
    EXPECT_EQ(next, items);
  }
}

TEST(ProcessGroup, SumsHaveTheSameBitsOnAllRanks) {
  REQUIRE_GLOO();
  std::array<Tensor, 3> sums;
  test::run_ranks(3, [&](ProcessGroup& group) {
    EXPECT_EQ(group.size(), 3);
    Tensor values =
        at::arange(10'000, at::kFloat).mul_(0.1).add_(static_cast<double>(group.rank()));
    // two sums at the same time
    const Tensor more = at::ones({5}, at::kDouble);
    const std::function<void()> first = group.begin_sum(values);
    const std::function<void()> second = group.begin_sum(more);
    first();
    second();
    EXPECT_TRUE(more.eq(3.0).all().item<bool>());
    sums[static_cast<size_t>(group.rank())] = values;
  });
  EXPECT_TRUE(at::allclose(sums[0], at::arange(10'000, at::kFloat).mul_(0.3).add_(3.0)));
  EXPECT_TRUE(at::equal(sums[0], sums[1]));
  EXPECT_TRUE(at::equal(sums[0], sums[2]));
}

TEST(ProcessGroup, TheSumOfTwoProcessesIsExact) {
  REQUIRE_GLOO();
  const auto part = [](int64_t rank) {
    return at::arange(100'000, at::kFloat).add_(static_cast<double>(rank)).sin_();
  };
  test::run_ranks(2, [&](ProcessGroup& group) {
    const Tensor values = part(group.rank());
    group.sum(values);
    EXPECT_TRUE(at::equal(values, part(0).add_(part(1))));
  });
}

TEST(ProcessGroup, BroadcastSendsTheValuesOfRankZero) {
  REQUIRE_GLOO();
  test::run_ranks(2, [](ProcessGroup& group) {
    const Tensor values = at::full({4}, static_cast<double>(group.rank() + 7));
    group.broadcast(values);
    EXPECT_TRUE(values.eq(7.0).all().item<bool>());
    EXPECT_EQ(broadcast(group, group.is_rank_zero() ? "text of rank 0" : "other"),
              "text of rank 0");
    EXPECT_EQ(broadcast(group, group.is_rank_zero() ? "" : "other"), "");
    EXPECT_TRUE(any(group, group.rank() == 1));
    EXPECT_FALSE(any(group, false));
  });
}

TEST(ProcessGroup, GatherTakesPartsOfDifferentSizes) {
  REQUIRE_GLOO();
  test::run_ranks(3, [](ProcessGroup& group) {
    const std::vector<Tensor> parts =
        group.gather(at::full({group.rank(), 2}, group.rank(), at::kByte));
    if (!group.is_rank_zero()) {
      EXPECT_TRUE(parts.empty());
      return;
    }
    ASSERT_EQ(parts.size(), 3u);
    for (int64_t rank = 0; rank < 3; ++rank) {
      EXPECT_TRUE(
          at::equal(parts[static_cast<size_t>(rank)], at::full({rank, 2}, rank, at::kByte)));
    }
  });
}

TEST(ProcessGroup, DifferentSettingsAreNamedOnAllRanks) {
  REQUIRE_GLOO();
  std::atomic<int> thrown = 0;
  test::run_ranks(3, [&](ProcessGroup& group) {
    EXPECT_NO_THROW(require_same(group, {{"batch", 4}}));
    const nlohmann::json settings = {{"seed", 1},
                                     {"update", {{"lr", group.rank() == 2 ? 0.5 : 0.25}}}};
    test::expect_throws<ConfigError>({"rank 2", "/update/lr", "expected 0.25", "received 0.5"},
                                     [&] { require_same(group, settings); });
    ++thrown;
  });
  EXPECT_EQ(thrown, 3);
}

// One of three ranks ends while the others wait for it; they throw within seconds.
TEST(ProcessGroup, TheEndOfOneIsDetectedByAll) {
  REQUIRE_GLOO();
  std::atomic<int> detected = 0;
  struct Ended {};
  const auto process = [&](ProcessGroup& group) {
    group.sum(at::ones({10}));
    if (group.rank() == 1) throw Ended();
    const Clock::time_point begin = Clock::now();
    test::expect_throws<PeerError>({"rank " + std::to_string(group.rank()) + " of 3", "ended"},
                                   [&] { group.sum(at::ones({10})); });
    EXPECT_LT(seconds_since(begin), kPeerTimeout / 2.0);
    ++detected;
  };
  EXPECT_THROW(test::run_ranks(3, process), Ended);
  EXPECT_EQ(detected, 2);
}

TEST(ProcessGroup, LeavingIsNotMistakenForAnEnd) {
  REQUIRE_GLOO();
  // rank 0 is still working when the other is ready to leave
  EXPECT_NO_THROW(test::run_ranks(2, [](ProcessGroup& group) {
    group.sum(at::ones({10}));
    if (group.is_rank_zero()) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }));
}

}  // namespace
}  // namespace halfstep::parallel
