// What io's writers are made of: a file open for writing, through the table of system calls.
#ifndef HALFSTEP_IO_WRITABLE_FILE_H_
#define HALFSTEP_IO_WRITABLE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace halfstep::io {

// The system's words for an errno, quoted, and what to do about it.
std::string reason(int error);
const char* advice(int error);

// "[write_file] PATH: expected WHAT, received "REASON"; ADVICE"
[[noreturn]] void fail_writing(const std::filesystem::path& path, const char* what, int error);

// Every failure is an IoError that names `path`. Calls that a signal cut short are made again.
class WritableFile {
 public:
  WritableFile() = default;  // closed
  // Opens `opened` (with mode 0666 where that makes it), which messages call `path`.
  WritableFile(std::filesystem::path path, const std::filesystem::path& opened, int flags);
  ~WritableFile();
  WritableFile(WritableFile&& other) noexcept;
  WritableFile& operator=(WritableFile&& other) noexcept;

  int fd() const { return fd_; }
  void write(const void* data, std::size_t size);  // all of it
  void truncate(std::uint64_t bytes);
  // Onto the disk: the contents, not the name (sync_folder).
  void sync();
  void close();

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

// The names in the folder onto the disk, where it can be read and its file system can do that.
void sync_folder(const std::filesystem::path& folder);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_WRITABLE_FILE_H_
