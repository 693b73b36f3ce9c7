// The program that users start. It answers --version, --help, help and completion at once, from a
// description of the command line that the build wrote, and becomes the program proper for
// everything else: loading LibTorch takes a third of a second.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/answer.h"
#include "cli/description.h"
#include "cli/help.h"

namespace {

// The output of the program proper's --describe.
constexpr const char* kDescription =
#include "cli/description.inc"
    ;

// HALFSTEP_PROGRAM is the path of the program proper from the folder of this one, so that both can
// be moved together.
std::filesystem::path program_path() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path() / HALFSTEP_PROGRAM;
}

// Has the heap of the program proper consist of huge pages (glibc.malloc.hugetlb of the GNU C
// Library): LibTorch registers its operators in 50 MiB of small pieces, and their page faults would
// take a sixth of the time that it takes to load.
void prefer_huge_pages() { ::setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", /*overwrite=*/0); }

}  // namespace

int main(int argc, char** argv) {
  using namespace halfstep::cli;  // NOLINT(google-build-using-namespace): the program's own
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (may_be_question(arguments)) {
    const Description description = description_of_text(kDescription);
    if (const std::optional<Answer> found = answer(arguments, description, columns_of_stdout()))
      return give(*found);
  }
  const std::filesystem::path program = program_path();
  prefer_huge_pages();
  ::execv(program.c_str(), argv);
  std::fprintf(stderr,
               "halfstep: error: [halfstep] expected the program %s, received \"%s\"; install "
               "halfstep again\n",
               program.c_str(), std::strerror(errno));
  return 1;
}
