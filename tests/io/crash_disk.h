// Simulates power cuts. CrashDisk executes and records system calls. For any point in time it can
// create every folder that POSIX allows to be found after a power cut at that point:
//   - What was written to a file since its last fsync may be present, absent, present in part, or
//     replaced by zeros; or only the last write may be present.
//   - Each name created, renamed or removed in a folder since its last fsync may have changed or
//     not, independently of the others. An fsync of a file does not sync its name.
// A rename within a folder is atomic.
#ifndef HALFSTEP_TESTS_IO_CRASH_DISK_H_
#define HALFSTEP_TESTS_IO_CRASH_DISK_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "halfstep/io/system_calls.h"

namespace halfstep::io {

// Makes all calls except fsync, which is slow.
class Unsynced : public SystemCalls {
 public:
  int fsync(int) override { return 0; }
};

class CrashDisk final : public SystemCalls {
 public:
  // Everything in `root` counts as synced; calls outside of it are not recorded.
  explicit CrashDisk(std::filesystem::path root);

  // Returns the number of recorded calls that change something.
  std::size_t size() const { return points_.size() - 1; }

  // Creates every state that a power cut after `calls` calls may leave and that was not created
  // before, each in a new folder, and calls `check` with it. Of more than `most` states, uses a
  // fixed sample. Returns the number of states.
  using Check = std::function<void(const std::filesystem::path& folder)>;
  std::size_t for_each_state(std::size_t calls, const Check& check, std::uint64_t most = 200);
  // Does the same for every number of calls.
  std::size_t for_each_state(const Check& check);

  int open(const char* path, int flags, mode_t mode) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  int ftruncate(int fd, off_t size) override;
  int fsync(int fd) override;
  int close(int fd) override;
  int rename(const char* from, const char* to) override;
  int unlink(const char* path) override;
  int mkdir(const char* path, mode_t mode) override;

 private:
  using Id = int;  // identifies a file or a folder independently of its name
  using Text = std::shared_ptr<const std::string>;
  struct Change {  // a write of `data` at `offset`, or a new size
    std::size_t offset = 0;
    Text data;  // null: the size becomes `offset`
  };
  struct File {
    Text synced;
    std::vector<Change> pending;
  };
  using Names = std::map<std::string, Id>;
  using NameChange = std::map<std::string, std::optional<Id>>;  // atomic; nullopt: removed
  struct Folder {
    Names synced;
    std::vector<NameChange> pending;
  };
  struct Point {
    std::map<Id, File> files;
    std::map<Id, Folder> folders;  // 0 is the root
  };
  struct Opened {
    Id id = 0;
    bool folder = false;
  };
  using Tree =
      std::map<std::string, std::optional<std::string>>;  // contents by path; nullopt: a folder

  Point& now() { return points_.back(); }
  void next() { points_.push_back(points_.back()); }
  Id scan(const std::filesystem::path& folder);
  static Names names_of(const Folder& folder);
  static std::string contents_of(const File& file, unsigned variant);
  std::optional<Id> find(
      const std::filesystem::path& path) const;  // nullopt: outside the root, or missing
  void change_names(const std::filesystem::path& path, std::optional<Id> id,
                    const std::filesystem::path& removed = {});
  static void lay_out(const Point& point, Id folder, const std::string& path,
                      const std::map<Id, unsigned>& choice, Tree& tree);

  std::mutex mutex_;  // a run calls from several threads
  std::filesystem::path root_;
  Id next_id_ = 1;
  std::vector<Point> points_;
  std::map<int, Opened> opened_;
  std::set<std::size_t> seen_;  // hashes of trees
};

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_CRASH_DISK_H_
