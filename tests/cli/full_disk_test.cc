// Full disks, folders without write permission and exhausted limits: one clear line, and nothing
// that existed before is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "halfstep/io/file.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/train/run_directory.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

bool write_proc(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

// Gives this process and its children their own mounts, as root or as root of a user namespace.
bool enter_mount_namespace() {
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    if (!write_proc("/proc/self/setgroups", "deny") ||
        !write_proc("/proc/self/uid_map", "0 " + uid + " 1") ||
        !write_proc("/proc/self/gid_map", "0 " + gid + " 1")) {
      return false;
    }
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// A separate file system that can be filled up.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& path) : path_(path) {
    fs::create_directories(path);
    mounted_ =
        enter_mount_namespace() && ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=67108864") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void fill(uint64_t bytes_left) const {
    const int fd = ::open((path_ / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    const uint64_t space = fs::space(path_).available;
    if (space > bytes_left) (void)::posix_fallocate(fd, 0, static_cast<off_t>(space - bytes_left));
    ::close(fd);
  }
  void free_space() const { fs::remove(path_ / "filler"); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

bool has_temporary_files(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".tmp") return true;
  }
  return false;
}

// A state of the tiny run takes about 1.6 MB, a model 0.55 MB.
TEST(FullDisk, KeepsTheSavedStateAndResumeFinishesWhenThereIsSpace) {
  const Workspace workspace;
  const SmallDisk disk(workspace / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk here";
  const Arguments more = {"--updates-per-stage", "200", "--checkpoint-every", "10"};
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "whole", more))));

  const fs::path outdir = workspace / "disk/runs";
  std::jthread filling([&] {  // as soon as there is a saved state
    while (!fs::exists(outdir / "00000-dots-distill-8to2/state/slot-0/manifest.json"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    disk.fill(100'000);
  });
  EXPECT_TRUE(fails(run(workspace.distill(outdir, more)), 1, {"free some space"}));
  filling.join();
  const fs::path folder = only_run(outdir);
  EXPECT_FALSE(has_temporary_files(folder));
  EXPECT_TRUE(fails(run(Workspace::resume(folder)), 1,
                    {"free for the states and models of this run", "free some space"}))
      << "still full";
  EXPECT_TRUE(RunDirectory(folder).load_state().has_value());

  disk.free_space();
  ASSERT_TRUE(succeeds(run(Workspace::resume(folder))));
  for (const char* model : {"stage-0004/model.safetensors", "stage-0002/model.safetensors"})
    EXPECT_TRUE(same_weights(folder / model, only_run(workspace / "whole") / model)) << model;
}

// The check comes before any work, so that a run of days does not end there.
TEST(FullDisk, RunThatDoesNotFitIsRefused) {
  const Workspace workspace;
  const SmallDisk disk(workspace / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk here";
  disk.fill(2'000'000);
  EXPECT_TRUE(fails(run(workspace.distill(workspace / "disk/runs")), 1,
                    {"states and models of this run", "received", "MiB", "free some space"}));
  EXPECT_TRUE(fs::is_empty(workspace / "disk/runs"));
}

TEST(FullDisk, SamplingFailsAndKeepsTheOldFile) {
  const Workspace workspace;
  const SmallDisk disk(workspace / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk here";
  disk.fill(4'096);
  const fs::path npz = workspace / "disk/a.npz";
  write_text(npz, "old");
  EXPECT_TRUE(fails(run(Workspace::sample(npz)), 1, {"a.npz", "No space left on device"}));
  EXPECT_EQ(text_of(npz), "old");
  EXPECT_FALSE(has_temporary_files(workspace / "disk"));
}

TEST(FullDisk, OfStdoutIsAnError) {
  const Workspace workspace;
  for (const Arguments& arguments :
       {Arguments{"--version"}, Arguments{"--help"}, Arguments{"info", workspace.data()}}) {
    EXPECT_TRUE(refuses(run(arguments, {.stdout_path = "/dev/full"}), 1, {"stdout"}));
  }
}

TEST(FileSizeLimit, IsOneLineAndResumeFinishesWithoutIt) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "whole"))));
  const fs::path outdir = workspace / "runs";
  EXPECT_TRUE(fails(run(workspace.distill(outdir), {.largest_file = 1'000'000}), 1,
                    {"tensors.safetensors", "File too large"}));
  const fs::path folder = only_run(outdir);
  EXPECT_FALSE(has_temporary_files(folder));
  ASSERT_TRUE(succeeds(run(Workspace::resume(folder))));
  EXPECT_TRUE(same_weights(folder / "stage-0002/model.safetensors",
                           only_run(workspace / "whole") / "stage-0002/model.safetensors"));
}

TEST(Memory, ExhaustionIsReportedOnOneLine) {
  if (kAddressSanitizer) GTEST_SKIP() << kNoMemoryLimit;
  const Workspace workspace;
  const Finished finished =
      run({"sample", "--model", Workspace::teacher(), "--steps", "1", "--seeds", "0-399999",
           "--batch", "400000", "--npz", workspace / "a.npz", "--threads", "1"},
          {.largest_memory = uint64_t{2} << 30});
  EXPECT_TRUE(fails(finished, 1, {"memory"}));
  EXPECT_FALSE(fs::exists(workspace / "a.npz"));
}

TEST(ReadOnlyFolder, IsRefusedBeforeAnyWork) {
  const Workspace workspace;
  const fs::path locked = workspace / "locked";
  fs::create_directories(locked);
  fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
  const Conditions user{.obey_permissions = true};
  EXPECT_TRUE(refuses(run(workspace.train(locked / "runs"), user), 1, {"locked", "Permission"}));
  EXPECT_TRUE(refuses(run(workspace.train(locked), user), 1, {"locked", "Permission"}));
  EXPECT_TRUE(refuses(run(Workspace::sample(locked / "a.npz"), user), 1, {"a.npz", "Permission"}));
  EXPECT_TRUE(
      refuses(run(Workspace::sample(workspace / "a.npz", {"--outdir", locked / "images"}), user), 1,
              {"--outdir", "images", "Permission"}));
  EXPECT_TRUE(fs::is_empty(locked));
  EXPECT_FALSE(fs::exists(workspace / "a.npz"));
}

TEST(MissingFolder, IsNamedBeforeAnyWork) {
  const Workspace workspace;
  EXPECT_TRUE(refuses(run(Workspace::sample(workspace / "none/a.npz")), 1,
                      {"--npz", "none/a.npz", "No such file"}));
  EXPECT_TRUE(
      refuses(run(Workspace::sample(workspace / "a.npz", {"--grid", workspace / "dots.npy/g.png"})),
              1, {"--grid", "g.png", "Not a directory"}));
  EXPECT_FALSE(fs::exists(workspace / "a.npz"));
  EXPECT_TRUE(refuses(run(workspace.train(workspace / "dots.npy/runs")), 1,
                      {"dots.npy/runs", "Not a directory"}));
  const fs::path none = workspace / "none/x";
  const fs::path old = workspace / "old.html";
  io::write_file(old, "old contents");
  const Arguments evaluate = {
      "evaluate",
      "--samples",
      workspace.data(),
      "--reference",
      workspace.data(),
      "--features",
      fs::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-cifar10.safetensors"};
  for (const char* flag : {"--json", "--html", "--moments"})
    EXPECT_TRUE(refuses(run(evaluate + Arguments{flag, none}), 1, {flag, "No such file"}));
  EXPECT_TRUE(refuses(run(evaluate + Arguments{"--html", old, "--json", workspace.path()}), 1,
                      {"--json", "Is a directory"}));
  EXPECT_TRUE(refuses(run(evaluate + Arguments{"--html", old, "--json", old}), 2,
                      {"--html", "--json", "old.html"}));
  EXPECT_EQ(text_of(old), "old contents");
  EXPECT_TRUE(refuses(run(Workspace::sample(workspace / "a.npz", {"--grid", workspace.path()})), 1,
                      {"--grid", "Is a directory"}));
  EXPECT_TRUE(refuses(
      run({"convert", "--from", Workspace::teacher(), "--to", workspace / "none/a.safetensors"}), 1,
      {"--to", "No such file"}));
  EXPECT_TRUE(refuses(run({"data", "--from", workspace.data(), "--to", workspace / "none/a.zip"}),
                      1, {"--to", "No such file"}));
  EXPECT_TRUE(refuses(run({"bench", "--config", workspace.config(), "--json", none}), 1,
                      {"--json", "No such file"}));
  // missing folders are created
  EXPECT_TRUE(succeeds(
      run(Workspace::sample(workspace / "a.npz", {"--outdir", workspace / "deep/er/images"}))));
  EXPECT_TRUE(fs::exists(workspace / "deep/er/images/000000.png"));
}

}  // namespace
}  // namespace halfstep::cli
