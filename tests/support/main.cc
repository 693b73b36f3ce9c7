// The main function of the test programs.
//
//   halfstep_tests [--file=train/run_test.cc] [--gtest_...]
//
// --file runs the tests of one source file. Each file is one test of ctest, so that LibTorch is
// loaded once per file. If all of its tests are skipped, the exit code is 77.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

constexpr int kUsageError = 2;
constexpr int kAllSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt
constexpr std::string_view kFileFlag = "--file=";

template <class Function>
void for_each_test(Function function) {
  const ::testing::UnitTest& program = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < program.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *program.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) function(suite, *suite.GetTestInfo(j));
  }
}

// Returns a GoogleTest filter for the tests of this file, relative to tests/. Empty if it has none.
std::string filter_of(std::string_view file) {
  const std::string path = "/tests/" + std::string(file);  // the compiler may see a relative path
  std::string filter;
  for_each_test([&](const ::testing::TestSuite& suite, const ::testing::TestInfo& test) {
    if (std::string_view(test.file()).ends_with(path))
      filter += std::string(suite.name()) + "." + test.name() + ":";
  });
  return filter;
}

// Prints the skipped tests with their reasons and returns whether every test that ran was skipped.
bool report_skipped() {
  for_each_test([](const ::testing::TestSuite& suite, const ::testing::TestInfo& test) {
    if (!test.result()->Skipped()) return;
    std::printf("skipped: %s.%s: %s\n", suite.name(), test.name(),
                test.result()->GetTestPartResult(0).message());
  });
  const ::testing::UnitTest& program = *::testing::UnitTest::GetInstance();
  return program.test_to_run_count() > 0 &&
         program.skipped_test_count() == program.test_to_run_count();
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with(kFileFlag)) {
      std::fprintf(stderr, "unknown argument %s\n", argv[i]);
      return kUsageError;
    }
    const std::string filter = filter_of(argument.substr(kFileFlag.size()));
    if (filter.empty()) {
      std::fprintf(stderr, "%s: this program has no test of that file\n", argv[i]);
      return kUsageError;
    }
    ::testing::GTEST_FLAG(filter) = filter;
  }
  const int result = RUN_ALL_TESTS();
  return report_skipped() && result == 0 ? kAllSkipped : result;
}
