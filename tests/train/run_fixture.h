// The fixture of the tests of whole runs.
#ifndef HALFSTEP_TESTS_TRAIN_RUN_FIXTURE_H_
#define HALFSTEP_TESTS_TRAIN_RUN_FIXTURE_H_

#include <gtest/gtest.h>

#include "tests/io/temporary_folder.h"
#include "tests/train/small_runs.h"

namespace halfstep::test {

class RunTest : public ::testing::Test {
 protected:
  io::TemporaryFolder folder;
  Recorder recorder;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_RUN_FIXTURE_H_
