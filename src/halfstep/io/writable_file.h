// A file open for writing, through the table of system calls. The writers of io/ are built on it.
#ifndef HALFSTEP_IO_WRITABLE_FILE_H_
#define HALFSTEP_IO_WRITABLE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace halfstep::io {

// Every failure is an IoError that names the path. Calls interrupted by a signal are repeated. Not
// thread-safe.
class WritableFile {
 public:
  WritableFile() = default;  // not open
  // Opens `opened`, with mode 0666 if that creates it. Messages call the file `path`. `flags` are
  // those of open(2).
  WritableFile(std::filesystem::path path, const std::filesystem::path& opened, int flags);
  ~WritableFile();
  WritableFile(WritableFile&& other) noexcept;
  WritableFile& operator=(WritableFile&& other) noexcept;

  int fd() const { return fd_; }
  // Writes all of the data.
  void write(const void* data, std::size_t size);
  void truncate(std::uint64_t bytes);
  // Syncs the contents to disk. The name of a new file needs sync_folder.
  void sync();
  void close();

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

// Syncs the names in a folder to disk. Does nothing if the folder cannot be read or its file system
// does not support it.
void sync_folder(const std::filesystem::path& folder);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_WRITABLE_FILE_H_
