// The report of bench, for a network so small that it takes a second. Times are not checked.
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "halfstep/io/json.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

using nlohmann::json;

// Measures the workspace's configuration, 8 images per update.
Arguments bench(const Workspace& workspace, const Arguments& more) {
  return Arguments{"bench", "--config", workspace.config(),      "--threads",
                   "1",     "--json",   workspace / "bench.json"} +
         more;
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

void expect_consistent(const json& result, const json& report) {
  EXPECT_EQ(keys_of(result),
            (std::set<std::string>{"operation", "steps", "batch", "median_ms", "min_ms",
                                   "images_per_second", "gflops", "share_of_peak"}));
  const double seconds = result["median_ms"].get<double>() / 1e3;
  const double batch = result["batch"];
  EXPECT_GT(result["min_ms"], 0.0);
  EXPECT_LE(result["min_ms"], result["median_ms"]);
  EXPECT_NEAR(result["images_per_second"].get<double>() * seconds, batch, 1e-6 * batch);
  const double calls = result["operation"] == "train"     ? 3.0
                       : result["operation"] == "distill" ? 5.0
                       : result["operation"] == "match"   ? 7.0
                                                          : result["steps"].get<double>();
  const double gflop = calls * batch * report["forward_gflop"].get<double>();
  EXPECT_NEAR(result["gflops"].get<double>() * seconds, gflop, 1e-6 * gflop);
  const double share = result["share_of_peak"];
  EXPECT_GT(share, 0.0);
  EXPECT_LT(share, 1.5);
  EXPECT_NEAR(share * report["convolution_peak_gflops"].get<double>(),
              result["gflops"].get<double>(), 1e-6 * result["gflops"].get<double>());
}

TEST(Bench, MeasuresUpdatesAndSamplingOfAConfiguration) {
  const Workspace workspace;
  const Finished finished = run(bench(workspace, {"--precision", "fp32", "--runs", "3"}));
  ASSERT_TRUE(succeeds(finished));
  for (const char* word :
       {"tiny", "1 threads", "fp32", "133601", "of peak", "train", "distill", "match"}) {
    EXPECT_NE(finished.out.find(word), std::string::npos) << word << " in " << finished.out;
  }
  EXPECT_NE(finished.err.find("sample, 8 steps, batch 64"), std::string::npos) << finished.err;

  const json report = io::read_json(workspace / "bench.json");
  EXPECT_EQ(keys_of(report),
            (std::set<std::string>{"subject", "version", "libtorch", "device", "threads",
                                   "cpu_capability", "precision", "parameters", "forward_gflop",
                                   "convolution_peak_gflops", "runs", "memory_mib", "results"}));
  EXPECT_EQ(report["subject"], "tiny");
  EXPECT_EQ(report["device"], "cpu");
  EXPECT_EQ(report["threads"], 1);
  EXPECT_EQ(report["precision"], "fp32");
  EXPECT_EQ(report["runs"], 3);
  std::vector<std::string> measured;
  for (const json& result : report["results"]) {
    SCOPED_TRACE(result.dump());
    expect_consistent(result, report);
    measured.push_back(result["operation"].get<std::string>() + " " + result["steps"].dump() + " " +
                       result["batch"].dump());
  }
  EXPECT_EQ(measured, (std::vector<std::string>{"train null 8", "distill null 8", "match null 8",
                                                "sample 1 1", "sample 4 1", "sample 8 1",
                                                "sample 1 64", "sample 4 64", "sample 8 64"}));
}

TEST(Bench, ReportsTheMemoryThatAnUpdateAdds) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(bench(workspace, {"--only", "distill", "--batch", "64"}))));
  const json memory = io::read_json(workspace / "bench.json")["memory_mib"];
  if (memory.is_null()) GTEST_SKIP() << "the system does not report memory";
  EXPECT_EQ(memory["operation"], "distill");
  EXPECT_GT(memory["networks"], 0.0);
  EXPECT_GT(memory["update_adds"], 0.0);
  EXPECT_NEAR(memory["peak"].get<double>() - memory["networks"].get<double>(),
              memory["update_adds"].get<double>(), 1e-6);
}

TEST(Bench, MeasuresOnlyTheGivenOperationsOfAModel) {
  const Workspace workspace;
  const std::string before = text_of(Workspace::teacher());
  ASSERT_TRUE(succeeds(run({"bench", "--model", Workspace::teacher(), "--only", "sample,train",
                            "--runs", "1", "--threads", "1", "--json", workspace / "b.json"})));
  const json report = io::read_json(workspace / "b.json");
  EXPECT_EQ(report["parameters"], 133601);
  ASSERT_EQ(report["results"].size(), 7u);
  EXPECT_EQ(report["results"][0]["operation"], "train");
  EXPECT_EQ(report["results"][0]["batch"], 64);
  for (const json& result : report["results"]) expect_consistent(result, report);
  EXPECT_EQ(text_of(Workspace::teacher()), before);

  const Finished sampling = run({"bench", "--model", Workspace::teacher(), "--only", "sample",
                                 "--runs", "1", "--json", workspace / "b.json"});
  ASSERT_TRUE(succeeds(sampling));
  EXPECT_TRUE(io::read_json(workspace / "b.json")["memory_mib"].is_null());
}

TEST(Bench, WrongUsageIsRefused) {
  const Workspace workspace;
  const auto refused = [](const Arguments& arguments, const std::vector<std::string>& words) {
    EXPECT_TRUE(refuses(run(arguments), 2, words)) << testing::PrintToString(arguments);
  };
  refused({"bench"}, {"--config", "--model", "neither"});
  refused(bench(workspace, {"--model", Workspace::teacher()}), {"--config", "--model", "both"});
  refused({"bench", "--config", "cifer10"}, {"cifer10", "cifar10"});
  refused(bench(workspace, {"--runs", "0"}), {"--runs", "1 to", "0"});
  refused(bench(workspace, {"--batch", "0"}), {"batch", "1 to", "0"});
  refused(bench(workspace, {"--only", "train,sleep"}), {"--only", "distill", "\"sleep\""});
  refused(bench(workspace, {"--precision", "int8"}), {"--precision", "bf16", "\"int8\""});
  EXPECT_FALSE(fs::exists(workspace / "bench.json"));
}

}  // namespace
}  // namespace halfstep::cli
