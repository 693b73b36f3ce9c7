#include "halfstep/io/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <system_error>

#include "halfstep/io/system_calls.h"
#include "halfstep/io/system_error.h"

namespace halfstep::io {

namespace {

namespace fs = std::filesystem;

constexpr const char* kReadable = "a readable file";

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Throws IoError unless something is written to a pipe soon: opening or reading a pipe that nobody
// writes to would block for ever.
void wait_for_writer(int pipe, const fs::path& path) {
  constexpr int kSeconds = 5;
  pollfd poll_of = {.fd = pipe, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&poll_of, 1, 1000 * kSeconds);
  } while (ready < 0 && errno == EINTR);
  if (ready > 0 && ::fcntl(pipe, F_SETFL, 0) == 0) return;  // from here on, reading may block
  fail_reading(path, kReadable,
               "a pipe to which nothing was written for " + std::to_string(kSeconds) + " seconds",
               "name a regular file or start the program that writes to it");
}

// A file open for reading: a regular one or a pipe.
class Input {
 public:
  explicit Input(const fs::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status = {};
    if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) {
      fail_reading(path, kReadable, errno_text(errno), errno_advice(errno));
    }
    if (S_ISDIR(status.st_mode)) fail_reading(path, kReadable, "a folder", "name a file in it");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
      fail_reading(path, kReadable, "a device", "name a regular file");
    }
    if (S_ISFIFO(status.st_mode)) wait_for_writer(file_.get(), path);
    size_ = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  }

  // Only a hint: the file may grow or shrink while it is read. 0 for a pipe.
  std::size_t size() const { return size_; }

  // Returns the number of bytes read, 0 at the end of the file.
  std::size_t read(void* to, std::size_t size) {
    for (;;) {
      const ssize_t got = ::read(file_.get(), to, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail_reading(path_, kReadable, errno_text(errno), errno_advice(errno));
    }
  }

 private:
  fs::path path_;
  Descriptor file_;
  std::size_t size_ = 0;
};

// `Bytes` is std::string or std::vector<std::byte>, so that neither needs a copy.
template <class Bytes>
Bytes read_up_to(const fs::path& path, std::size_t max_bytes) {
  constexpr std::size_t kPiece = 1 << 16;
  Input input(path);
  Bytes bytes;
  std::size_t filled = 0;
  try {
    // One byte more than the size, so that the end is reached without growing the buffer.
    bytes.resize(std::min(max_bytes, input.size() + 1));
    while (filled < max_bytes) {
      if (filled == bytes.size()) bytes.resize(std::min(max_bytes, filled + filled / 2 + kPiece));
      const std::size_t got = input.read(bytes.data() + filled, bytes.size() - filled);
      if (got == 0) break;
      filled += got;
    }
  } catch (const std::bad_alloc&) {
    fail_reading(
        path, kReadable,
        "a file of " + std::to_string(input.size()) + " bytes, which does not fit into memory",
        "use a smaller file or a machine with more memory");
  }
  bytes.resize(filled);
  return bytes;
}

// Returns the target of a symbolic link, so that renaming does not replace the link itself.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  fs::path target = fs::canonical(path, error);
  return error ? path : target;
}

constexpr std::string_view kTemporary = ".halfstep-";

// Returns a unique name in the folder of `path`, so that renaming stays within one file system.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> counter = 0;
  return path.parent_path() /
         ("." + path.filename().string() + std::string(kTemporary) + std::to_string(::getpid()) +
          "-" + std::to_string(counter++) + ".tmp");
}

bool is_temporary(const std::string& name) {
  return name.starts_with('.') && name.ends_with(".tmp") &&
         name.find(kTemporary) != std::string::npos;
}

// The writer of a temporary file holds a lock on it, which ends with the process. Returns false if
// the file was removed before it was locked.
bool lock_temporary(int fd) {
  if (system_calls().flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat status = {};
  return ::fstat(fd, &status) != 0 || status.st_nlink > 0;
}

// Removes a temporary file if no process holds its lock.
void remove_if_left(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return;
  if (system_calls().flock(file.get(), LOCK_EX | LOCK_NB) == 0)
    (void)system_calls().unlink(path.c_str());
}

// Does so once per folder and process, because a folder may hold many files.
void remove_left_beside(const fs::path& path) {
  static std::mutex mutex;
  static std::set<fs::path> done;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  {
    const std::lock_guard lock(mutex);
    if (!done.insert(folder).second) return;
  }
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_temporary(entry->path().filename().string())) remove_if_left(entry->path());
  }
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  return read_up_to<std::string>(path, max_bytes);
}

std::vector<std::byte> read_bytes(const fs::path& path, std::size_t max_bytes) {
  return read_up_to<std::vector<std::byte>>(path, max_bytes);
}

void read_pieces(const fs::path& path,
                 const std::function<void(std::span<const std::byte>)>& consume) {
  Input input(path);
  std::vector<std::byte> piece(std::size_t{1} << 18);
  while (const std::size_t got = input.read(piece.data(), piece.size())) {
    consume(std::span(piece).first(got));
  }
}

void write_file(const fs::path& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

void write_file(const fs::path& path, std::span<const std::byte> contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

void remove_left_temporaries(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_temporary(entry->path().filename().string())) remove_if_left(entry->path());
  }
}

AtomicFile::AtomicFile(const fs::path& path) : path_(resolved(path)) {
  struct stat status = {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (path_.empty() || path_.filename().empty() || (exists && S_ISDIR(status.st_mode))) {
    fail_writing(path_, "a file name", EISDIR);
  }
  if (exists && !S_ISREG(status.st_mode)) {
    file_ = WritableFile(path_, path_, O_WRONLY);
    return;
  }
  remove_left_beside(path_);
  do {
    const fs::path temporary = temporary_beside(path_);
    file_ = WritableFile(path_, temporary, O_WRONLY | O_CREAT | O_EXCL);
    temporary_ = temporary;
  } while (!lock_temporary(file_.fd()));
  // Keeps the lock after file_ is closed.
  lock_ = ::fcntl(file_.fd(), F_DUPFD_CLOEXEC, 3);
  // Keeps the permissions of the old file.
  if (exists) (void)system_calls().fchmod(file_.fd(), status.st_mode & 0777);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) system_calls().unlink(temporary_.c_str());
  if (lock_ >= 0) ::close(lock_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  file_.write(bytes.data(), bytes.size());
}

void AtomicFile::write(std::string_view text) { file_.write(text.data(), text.size()); }

std::uint64_t AtomicFile::tell() const {
  const off_t position = system_calls().lseek(file_.fd(), 0, SEEK_CUR);
  if (position < 0) {
    fail_writing(path_, "a regular file, because this format needs to seek", errno);
  }
  return static_cast<std::uint64_t>(position);
}

std::uint64_t AtomicFile::size() const {
  struct stat status = {};
  if (::fstat(file_.fd(), &status) != 0) fail_writing(path_, "to read the size", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void AtomicFile::seek(std::uint64_t position) {
  if (system_calls().lseek(file_.fd(), static_cast<off_t>(position), SEEK_SET) < 0) {
    fail_writing(path_, "a regular file, because this format needs to seek", errno);
  }
}

void AtomicFile::commit() {
  if (temporary_.empty()) return file_.close();
  file_.sync();
  file_.close();
  if (system_calls().rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail_writing(path_, "to rename", errno);
  }
  temporary_.clear();
  sync_folder(path_.parent_path());
}

}  // namespace halfstep::io
