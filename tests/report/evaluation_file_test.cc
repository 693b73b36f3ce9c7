#include "halfstep/report/evaluation_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/expect_throws.h"

namespace halfstep::report {
namespace {

const std::filesystem::path kMadeUp =
    std::filesystem::path(HALFSTEP_SOURCE_DIR) / "tests/report/made_up_evaluation.json";

TEST(EvaluationFile, ReadsAllFields) {
  const EvaluationFile evaluation = read_evaluation_file(kMadeUp);
  EXPECT_EQ(evaluation.version, "0.0.0-made-up");
  EXPECT_EQ(evaluation.features, "made-up-network");
  EXPECT_EQ(evaluation.num_features, 64);
  EXPECT_EQ(evaluation.split, "test");
  EXPECT_EQ(evaluation.num_reference, 10000);
  ASSERT_EQ(evaluation.results.size(), 5u);
  const metrics::EvaluationResult& first = evaluation.results[0];
  EXPECT_EQ(first.samples, "runs/00000-made-up/stage-0004");
  EXPECT_EQ(first.made_for_steps, 4);
  EXPECT_EQ(first.first_seed, 1000u);
  EXPECT_EQ(first.frechet_name, "FD-made-up");
  EXPECT_EQ(first.frechet, 3.21875);
  EXPECT_EQ(first.inception_score_std, 0.0654);
  EXPECT_FALSE(evaluation.results[2].kid.has_value()) << "null";
  EXPECT_FALSE(evaluation.results[3].kid.has_value()) << "absent";
  EXPECT_FALSE(evaluation.results[4].evaluations.has_value());
}

TEST(EvaluationFile, WritesAllFieldsThatHaveAValue) {
  const io::TemporaryFolder folder;
  write_evaluation_file(folder / "e.json", read_evaluation_file(kMadeUp));
  nlohmann::json expected = io::read_json(kMadeUp);
  for (nlohmann::json& result : expected["results"]) {
    std::erase_if(result.get_ref<nlohmann::json::object_t&>(),
                  [](const auto& field) { return field.second.is_null(); });
  }
  EXPECT_EQ(io::read_json(folder / "e.json"), expected);
}

TEST(EvaluationFile, RefusesAnotherFormAndNamesTheKey) {
  const io::TemporaryFolder folder;
  const nlohmann::json good = io::read_json(kMadeUp);
  const auto expect_refused = [&](const nlohmann::json& patch,
                                  std::initializer_list<std::string_view> words) {
    io::write_json(folder / "e.json", good.patch(patch));
    test::expect_throws<FormatError>(words, [&] { read_evaluation_file(folder / "e.json"); });
  };
  using nlohmann::json;
  expect_refused(json::parse(R"([{"op": "replace", "path": "/version", "value": 2}])"),
                 {"e.json", "version", "2"});
  expect_refused(json::parse(R"([{"op": "remove", "path": "/results"}])"), {"e.json", "results"});
  expect_refused(json::parse(R"([{"op": "remove", "path": "/features"}])"), {"features"});
  expect_refused(json::parse(R"([{"op": "replace", "path": "/results", "value": 1}])"),
                 {"results"});
  expect_refused(json::parse(R"([{"op": "add", "path": "/results/1/fid", "value": 1}])"),
                 {"results[1]", "fid"});
  expect_refused(json::parse(R"([{"op": "replace", "path": "/results/0/steps", "value": "x"}])"),
                 {"results[0]", "steps"});
  io::write_json(folder / "e.json", json::array());
  test::expect_throws<FormatError>({"e.json"}, [&] { read_evaluation_file(folder / "e.json"); });
  test::expect_throws<IoError>({"absent.json"},
                               [&] { read_evaluation_file(folder / "absent.json"); });
}

}  // namespace
}  // namespace halfstep::report
