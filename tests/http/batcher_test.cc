#include "halfstep/http/batcher.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/http/fake_models.h"

namespace halfstep::http {
namespace {

using std::chrono::milliseconds;
using test::Fake;
using test::fake_model;
using test::rows_of;

using JobPtr = std::shared_ptr<Job>;
constexpr milliseconds kLong{20'000};

JobPtr submit(Batcher& batcher, std::vector<Row> rows, size_t model = 0) {
  return std::get<JobPtr>(batcher.submit(model, std::move(rows)));
}

void expect_drawn(const Batcher& batcher, const Job& job) {
  ASSERT_EQ(batcher.wait_for(job, kLong).state, JobState::done);
  for (size_t i = 0; i < job.rows().size(); ++i) {
    EXPECT_EQ(job.images()[i].image.pixels, test::drawn_for(job.rows()[i]).image.pixels);
    EXPECT_EQ(job.images()[i].label, test::drawn_for(job.rows()[i]).label);
  }
}

TEST(Batcher, JobsThatWaitTogetherShareABatch) {
  Fake fake;
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.delay = milliseconds(300)});
  const JobPtr first = submit(batcher, rows_of(0, 3));
  const JobPtr second = submit(batcher, rows_of(100, 2));
  expect_drawn(batcher, *first);
  expect_drawn(batcher, *second);
  ASSERT_EQ(fake.batches().size(), 1u);
  EXPECT_EQ(fake.batches()[0].size(), 5u);
}

TEST(Batcher, AFullBatchDoesNotWait) {
  Fake fake;
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 4, .delay = kLong});
  const JobPtr job = submit(batcher, rows_of(0, 4));
  EXPECT_EQ(batcher.wait_for(*job, kLong / 2).state, JobState::done);
}

TEST(Batcher, ALargeJobIsSpreadOverBatchesThatOthersFillUp) {
  Fake fake;
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 4, .delay = milliseconds(300)});
  const JobPtr large = submit(batcher, rows_of(0, 6));
  const JobPtr small = submit(batcher, rows_of(50, 2));
  expect_drawn(batcher, *large);
  expect_drawn(batcher, *small);
  ASSERT_EQ(fake.batches().size(), 2u);
  EXPECT_EQ(fake.batches()[1].size(), 4u);
}

TEST(Batcher, ModelsAndGuidanceThatCostMoreAreNotMixed) {
  Fake a, b;
  const std::vector<ServedModel> models = {fake_model("a", a), fake_model("b", b)};
  Batcher batcher(models, {.delay = milliseconds(100)});
  const std::vector<JobPtr> jobs = {
      submit(batcher, rows_of(0, 2)), submit(batcher, rows_of(2, 2), 1),
      submit(batcher, rows_of(4, 2, 3.0)), submit(batcher, rows_of(6, 2, 4.0)),
      submit(batcher, rows_of(8, 2))};
  for (const JobPtr& job : jobs) expect_drawn(batcher, *job);
  ASSERT_EQ(a.batches().size(), 2u);
  EXPECT_EQ(a.batches()[0].back().seed, 9u);
  EXPECT_EQ(a.batches()[1].front().guidance, 3.0);
  EXPECT_EQ(a.batches()[1].back().guidance, 4.0);
  EXPECT_EQ(b.batches().size(), 1u);
}

TEST(Batcher, AFullQueueRefuses) {
  Fake fake{.blocked = true};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.most_waiting = 2, .batch = 1, .delay = milliseconds(0)});
  const JobPtr running = submit(batcher, rows_of(0, 1));
  fake.wait_for_step(1);
  const JobPtr first = submit(batcher, rows_of(1, 1)), second = submit(batcher, rows_of(2, 1));
  EXPECT_EQ(std::get<Refusal>(batcher.submit(0, rows_of(3, 1))), Refusal::full);
  EXPECT_EQ(batcher.status(*running).state, JobState::running);
  EXPECT_EQ(batcher.status(*second).state, JobState::queued);
  EXPECT_EQ(batcher.status(*second).position, 1);
  EXPECT_EQ(batcher.waiting(), 2u);
  fake.blocked = false;
  for (const JobPtr& job : {running, first, second}) expect_drawn(batcher, *job);
}

TEST(Batcher, StatusSaysTheStep) {
  Fake fake{.blocked = true};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.delay = milliseconds(0)});
  const JobPtr job = submit(batcher, rows_of(0, 2));
  fake.wait_for_step(1);
  EXPECT_EQ(batcher.wait_for(*job, milliseconds(10)).step, 1);
  fake.blocked = false;
  EXPECT_EQ(batcher.wait_for(*job, kLong).images, 2);
}

TEST(Batcher, ACancelledJobEndsItsBatchBetweenSteps) {
  Fake fake{.blocked = true};
  const std::vector<ServedModel> models = {fake_model("a", fake, 1000)};
  Batcher batcher(models, {.delay = milliseconds(0)});
  const JobPtr job = submit(batcher, rows_of(0, 2));
  fake.wait_for_step(1);
  batcher.cancel(job);
  EXPECT_EQ(batcher.status(*job).state, JobState::cancelled);
  fake.blocked = false;
  expect_drawn(batcher, *submit(batcher, rows_of(7, 1)));
  EXPECT_LT(fake.steps, 1010);  // all of the second job, few of the first
  batcher.cancel(job);          // changes nothing
}

TEST(Batcher, ACancelledJobDoesNotEndTheBatchOfOthers) {
  Fake fake{.blocked = true};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 3, .delay = kLong});
  const JobPtr first = submit(batcher, rows_of(0, 1)), second = submit(batcher, rows_of(1, 2));
  fake.wait_for_step(1);
  batcher.cancel(first);
  fake.blocked = false;
  expect_drawn(batcher, *second);
  EXPECT_EQ(batcher.status(*first).state, JobState::cancelled);
}

TEST(Batcher, AFailureIsThatOfItsBatchOnly) {
  Fake fake{.fails = true};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 2, .delay = milliseconds(0)});
  const JobPtr job = submit(batcher, rows_of(0, 5));
  const JobStatus status = batcher.wait_for(*job, kLong);
  EXPECT_EQ(status.state, JobState::failed);
  EXPECT_EQ(status.error, "a broken network");
  EXPECT_EQ(batcher.waiting(), 0u);
  fake.fails = false;
  expect_drawn(batcher, *submit(batcher, rows_of(9, 1)));
}

TEST(Batcher, DrainFinishesWhatWasAcceptedAndRefusesMore) {
  Fake fake{.step_time = milliseconds(2)};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 2, .delay = kLong});
  std::vector<JobPtr> jobs;
  for (uint64_t k = 0; k < 9; ++k) jobs.push_back(submit(batcher, rows_of(k, 1)));
  EXPECT_EQ(batcher.drain(kLong), 0u);
  for (const JobPtr& job : jobs) expect_drawn(batcher, *job);
  EXPECT_EQ(std::get<Refusal>(batcher.submit(0, rows_of(0, 1))), Refusal::stopping);
}

TEST(Batcher, DrainCancelsWhatDoesNotFinishInTime) {
  Fake fake{.blocked = true};
  const std::vector<ServedModel> models = {fake_model("a", fake)};
  Batcher batcher(models, {.batch = 2, .delay = milliseconds(0)});
  const JobPtr large = submit(batcher, rows_of(0, 5)), small = submit(batcher, rows_of(7, 1));
  fake.wait_for_step(1);
  EXPECT_EQ(batcher.drain(milliseconds(20)), 2u);
  EXPECT_EQ(batcher.status(*large).state, JobState::cancelled);
  EXPECT_EQ(batcher.status(*small).state, JobState::cancelled);
}

// Eight threads submit, wait and cancel at random: no job is lost and none gets another's images.
TEST(Batcher, ManyThreadsLoseNothing) {
  Fake a, b;
  const std::vector<ServedModel> models = {fake_model("a", a), fake_model("b", b)};
  Batcher batcher(models, {.most_waiting = 6, .batch = 5, .delay = std::chrono::microseconds(200)});
  std::atomic<int> done = 0, cancelled = 0, refused = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (uint64_t k = 0; k < 100; ++k) {
        auto submitted = batcher.submit(random() % 2, rows_of(1000 * t + k, 1 + random() % 7));
        if (std::holds_alternative<Refusal>(submitted)) {
          ++refused;
          continue;
        }
        const JobPtr job = std::get<JobPtr>(submitted);
        if (random() % 4 == 0) batcher.cancel(job);
        if (batcher.wait_for(*job, kLong).state == JobState::done) {
          expect_drawn(batcher, *job);
          ++done;
        } else {
          EXPECT_EQ(batcher.status(*job).state, JobState::cancelled);
          ++cancelled;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done + cancelled + refused, 800);
  EXPECT_GT(done, 0);
  EXPECT_GT(cancelled, 0);
}

}  // namespace
}  // namespace halfstep::http
