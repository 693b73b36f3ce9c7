#include "halfstep/http/job_store.h"

#include <gtest/gtest.h>

#include "tests/http/fake_models.h"

namespace halfstep::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::rows_of;

class JobStores : public testing::Test {
 protected:
  std::string add_finished(JobStore& store, uint64_t seed) {
    const auto job = std::get<std::shared_ptr<Job>>(batcher_.submit(0, rows_of(seed, 2)));
    EXPECT_EQ(batcher_.wait_for(*job, seconds(20)).state, JobState::done);
    return store.add({.job = job});
  }

  test::Fake fake_;
  const std::vector<ServedModel> models_ = {test::fake_model("a", fake_)};
  Batcher batcher_{models_, {.delay = milliseconds(0)}};
};

TEST_F(JobStores, FindJobsByIdsThatCannotBeGuessed) {
  JobStore store(batcher_);
  const std::string first = add_finished(store, 1), second = add_finished(store, 2);
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(first, second);
  EXPECT_EQ(store.find(first)->job->rows()[0].seed, 1u);
  EXPECT_FALSE(store.find("0"));
}

TEST_F(JobStores, ForgetTheOldestOfTooMany) {
  JobStore store(batcher_, {.most_finished = 2});
  const std::string first = add_finished(store, 1), second = add_finished(store, 2),
                    third = add_finished(store, 3);
  EXPECT_FALSE(store.find(first));
  EXPECT_TRUE(store.find(second));
  EXPECT_TRUE(store.find(third));
}

TEST_F(JobStores, ForgetWhatIsTooLargeTogether) {
  JobStore store(batcher_, {.most_bytes = 12});  // a job has two images of four bytes
  const std::string first = add_finished(store, 1), second = add_finished(store, 2);
  EXPECT_FALSE(store.find(first));
  EXPECT_TRUE(store.find(second));
}

TEST_F(JobStores, ForgetAfterATime) {
  JobStore store(batcher_, {.keep = seconds(0)});
  EXPECT_FALSE(store.find(add_finished(store, 1)));
}

TEST_F(JobStores, KeepJobsThatHaveNotFinished) {
  JobStore store(batcher_, {.most_finished = 0, .keep = seconds(0)});
  fake_.blocked = true;
  const auto job = std::get<std::shared_ptr<Job>>(batcher_.submit(0, rows_of(1, 1)));
  const std::string id = store.add({.job = job});
  EXPECT_TRUE(store.find(id));
  fake_.blocked = false;
  batcher_.wait_for(*job, seconds(20));
  EXPECT_FALSE(store.find(id));
}

}  // namespace
}  // namespace halfstep::http
