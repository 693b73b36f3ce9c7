// Disks that are full or may not be written on, and other things that run out: one clear line, and
// nothing that was there before is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "halfstep/io/safetensors.h"
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

// This process (and what it starts) sees mounts of its own. As root, or as root of a user
// namespace.
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

// A file system of its own, with nothing but `free_bytes` of space until it is told to free some.
class SmallDisk {
 public:
  SmallDisk(const fs::path& path, int64_t free_bytes) : path_(path) {
    constexpr int64_t kSize = int64_t{64} << 20;
    fs::create_directories(path);
    const std::string options = "size=" + std::to_string(kSize);
    mounted_ =
        enter_mount_namespace() && ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) return;
    std::ofstream(path / "filler") << std::string(static_cast<size_t>(kSize - free_bytes), 'x');
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
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

int64_t kibibytes(double count) { return static_cast<int64_t>(count * 1024.0); }

// A state of the tiny run is about 1.6 MB, a model 0.55 MB: the first state has room, the second
// one, after the first stage's model, has not.
TEST(FullDisk, KeepsTheSavedStateAndResumeFinishesWhenThereIsSpace) {
  const Workspace workspace;
  const SmallDisk disk(workspace / "disk", kibibytes(3200));
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk here";
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "whole"))));

  const fs::path outdir = workspace / "disk/runs";
  EXPECT_TRUE(fails(run(workspace.distill(outdir)), 1,
                    {"tensors.safetensors", "No space left on device", "free some space"}));
  const fs::path folder = only_run(outdir);
  EXPECT_FALSE(has_temporary_files(folder));
  EXPECT_TRUE(fails(run(Workspace::resume(folder)), 1, {"No space left on device"}))
      << "still full";
  const Finished info = run({"info", folder});
  EXPECT_TRUE(succeeds(info));
  EXPECT_NE(info.out.find("4 of 12 saved"), std::string::npos) << info.out;

  disk.free_space();
  ASSERT_TRUE(succeeds(run(Workspace::resume(folder))));
  for (const char* model : {"stage-0004/model.safetensors", "stage-0002/model.safetensors"})
    EXPECT_TRUE(same_weights(folder / model, only_run(workspace / "whole") / model)) << model;
}

TEST(FullDisk, SamplingSaysSoAndKeepsTheOldFile) {
  const Workspace workspace;
  const SmallDisk disk(workspace / "disk", kibibytes(4));
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk here";
  const fs::path npz = workspace / "disk/a.npz";
  write_text(npz, "old");
  EXPECT_TRUE(fails(run(Workspace::sample(npz)), 1, {"a.npz", "No space left on device"}));
  EXPECT_EQ(text_of(npz), "old");
  EXPECT_FALSE(has_temporary_files(workspace / "disk"));
}

TEST(FullDisk, OfTheResultsIsAnError) {
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

TEST(Memory, ThatRunsOutIsOneLine) {
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
  // folders that can be made are made
  EXPECT_TRUE(succeeds(
      run(Workspace::sample(workspace / "a.npz", {"--outdir", workspace / "deep/er/images"}))));
  EXPECT_TRUE(fs::exists(workspace / "deep/er/images/000000.png"));
}

}  // namespace
}  // namespace halfstep::cli
