// What a power cut may leave. CrashDisk makes the calls it is given and notes each; at any point it
// can lay out every folder that POSIX allows to be found after the power comes back:
//   - of a file, what was written since its last fsync may be there, or not, or in part, or be
//     zeros, or be there from its end on;
//   - of a folder, each name made, renamed or removed since its last fsync may be so or not,
//     whatever came of the others. An fsync of a file is not one of its name.
// A rename within a folder is one change.
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

// Makes all calls but fsync, which is slow.
class Unsynced : public SystemCalls {
 public:
  int fsync(int) override { return 0; }
};

class CrashDisk final : public SystemCalls {
 public:
  // All that lies in `root` is on the disk; nothing outside it is looked at.
  explicit CrashDisk(std::filesystem::path root);

  // How many calls that change something were made.
  std::size_t size() const { return points_.size() - 1; }

  // Lays out, in a folder of its own, every state that a cut after `calls` of them may leave and
  // that was not laid out before; of more than `most` a fixed sample. Returns how many those were.
  using Check = std::function<void(const std::filesystem::path& folder)>;
  std::size_t for_each_state(std::size_t calls, const Check& check, std::uint64_t most = 200);
  // The same for every number of calls.
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
  using Id = int;  // of a file or a folder, whatever its name
  using Text = std::shared_ptr<const std::string>;
  struct Change {  // of a file: `data` at `offset`, or another size
    std::size_t offset = 0;
    Text data;  // null: cut or grow to `offset`
  };
  struct File {
    Text synced;
    std::vector<Change> pending;
  };
  using Names = std::map<std::string, Id>;
  using NameChange = std::map<std::string, std::optional<Id>>;  // all or nothing; none: removed
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
  using Tree = std::map<std::string, std::optional<std::string>>;  // path -> contents; none: folder

  Point& now() { return points_.back(); }
  void next() { points_.push_back(points_.back()); }
  Id scan(const std::filesystem::path& folder);
  static Names names_of(const Folder& folder);
  static std::string contents_of(const File& file, unsigned variant);
  std::optional<Id> find(const std::filesystem::path& path) const;  // none: outside, or not there
  void change_names(const std::filesystem::path& path, std::optional<Id> id,
                    const std::filesystem::path& removed = {});
  static void lay_out(const Point& point, Id folder, const std::string& path,
                      const std::map<Id, unsigned>& choice, Tree& tree);

  std::mutex mutex_;  // of the calls: a run's threads make them
  std::filesystem::path root_;
  Id next_id_ = 1;
  std::vector<Point> points_;
  std::map<int, Opened> opened_;
  std::set<std::size_t> seen_;  // hashes of trees
};

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_CRASH_DISK_H_
