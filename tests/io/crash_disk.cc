#include "tests/io/crash_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>

#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFileVariants = 5;

void apply(std::string& contents, std::size_t offset, const std::string* data) {
  if (data == nullptr) return contents.resize(offset);
  contents.resize(std::max(contents.size(), offset + data->size()));
  std::copy(data->begin(), data->end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
}

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

CrashDisk::CrashDisk(fs::path root) : root_(fs::weakly_canonical(root)), points_(1) {
  now().folders[0] = {};
  for (const auto& entry : fs::directory_iterator(root_))
    now().folders[0].synced[entry.path().filename().string()] = scan(entry.path());
}

CrashDisk::Id CrashDisk::scan(const fs::path& path) {
  const Id id = next_id_++;
  if (!fs::is_directory(path)) {
    now().files[id].synced = std::make_shared<const std::string>(text_of_file(path));
    return id;
  }
  now().folders[id] = {};
  for (const auto& entry : fs::directory_iterator(path))
    now().folders[id].synced[entry.path().filename().string()] = scan(entry.path());
  return id;
}

CrashDisk::Names CrashDisk::names_of(const Folder& folder) {
  Names names = folder.synced;
  for (const NameChange& change : folder.pending) {
    for (const auto& [name, id] : change) {
      names.erase(name);
      if (id) names[name] = *id;
    }
  }
  return names;
}

std::optional<CrashDisk::Id> CrashDisk::find(const fs::path& path) const {
  const fs::path inside = fs::absolute(path).lexically_normal().lexically_relative(root_);
  if (inside.empty() || *inside.begin() == "..") return std::nullopt;
  Id id = 0;
  for (const fs::path& part : inside) {
    if (part == "." || part.empty()) continue;
    const auto folder = points_.back().folders.find(id);
    if (folder == points_.back().folders.end()) return std::nullopt;
    const Names names = names_of(folder->second);
    const auto found = names.find(part.string());
    if (found == names.end()) return std::nullopt;
    id = found->second;
  }
  return id;
}

void CrashDisk::change_names(const fs::path& path, std::optional<Id> id, const fs::path& removed) {
  const std::optional<Id> folder = find(path.parent_path());
  if (!folder) return;
  NameChange change = {{path.filename().string(), id}};
  if (!removed.empty()) change[removed.filename().string()] = std::nullopt;
  next();
  now().folders[*folder].pending.push_back(std::move(change));
}

int CrashDisk::open(const char* path, int flags, mode_t mode) {
  const std::lock_guard lock(mutex_);
  const bool is_new = (flags & O_CREAT) != 0 && !fs::exists(path);
  const int fd = SystemCalls::open(path, flags, mode);
  if (fd < 0) return fd;
  if (is_new && find(fs::path(path).parent_path())) {
    const Id id = next_id_++;
    change_names(path, id);
    now().files[id].synced = std::make_shared<const std::string>();
  }
  if (const auto id = find(path)) opened_[fd] = {*id, now().folders.contains(*id)};
  return fd;
}

ssize_t CrashDisk::write(int fd, const void* data, std::size_t size) {
  const std::lock_guard lock(mutex_);
  const off_t before = SystemCalls::lseek(fd, 0, SEEK_CUR);
  const ssize_t written = SystemCalls::write(fd, data, size);
  if (written <= 0 || !opened_.contains(fd)) return written;
  const off_t after = SystemCalls::lseek(fd, 0, SEEK_CUR);  // O_APPEND wrote at the end
  const off_t begin = (::fcntl(fd, F_GETFL) & O_APPEND) != 0 ? after - written : before;
  next();
  now().files[opened_[fd].id].pending.push_back(
      {static_cast<std::size_t>(begin),
       std::make_shared<const std::string>(static_cast<const char*>(data),
                                           static_cast<std::size_t>(written))});
  return written;
}

int CrashDisk::ftruncate(int fd, off_t size) {
  const std::lock_guard lock(mutex_);
  const int result = SystemCalls::ftruncate(fd, size);
  if (result != 0 || !opened_.contains(fd)) return result;
  next();
  now().files[opened_[fd].id].pending.push_back({static_cast<std::size_t>(size), nullptr});
  return result;
}

// Does not make the real call, which is slow.
int CrashDisk::fsync(int fd) {
  const std::lock_guard lock(mutex_);
  const auto opened = opened_.find(fd);
  if (opened == opened_.end()) return 0;
  next();
  if (opened->second.folder) {
    Folder& folder = now().folders[opened->second.id];
    folder = {.synced = names_of(folder), .pending = {}};
  } else {
    File& file = now().files[opened->second.id];
    file = {.synced = std::make_shared<const std::string>(contents_of(file, 1)), .pending = {}};
  }
  return 0;
}

int CrashDisk::close(int fd) {
  const std::lock_guard lock(mutex_);
  opened_.erase(fd);
  return SystemCalls::close(fd);
}

int CrashDisk::rename(const char* from, const char* to) {
  const std::lock_guard lock(mutex_);
  const std::optional<Id> id = find(from);
  const int result = SystemCalls::rename(from, to);
  if (result == 0 && id) change_names(to, id, from);
  return result;
}

int CrashDisk::unlink(const char* path) {
  const std::lock_guard lock(mutex_);
  const bool known = find(path).has_value();
  const int result = SystemCalls::unlink(path);
  if (result == 0 && known) change_names(path, std::nullopt);
  return result;
}

int CrashDisk::mkdir(const char* path, mode_t mode) {
  const std::lock_guard lock(mutex_);
  const int result = SystemCalls::mkdir(path, mode);
  if (result != 0 || !find(fs::path(path).parent_path())) return result;
  const Id id = next_id_++;
  change_names(path, id);
  now().folders[id] = {};
  return result;
}

// Returns a possible content of a file. Of the pending changes, variant 0 has none, 1 all, 2 all
// but half of the last one, 3 only the last one, and 4 only the size, with zeros.
std::string CrashDisk::contents_of(const File& file, unsigned variant) {
  std::string contents = *file.synced;
  if (variant == 0) return contents;
  for (std::size_t i = 0; i < file.pending.size(); ++i) {
    const Change& change = file.pending[i];
    const bool last = i + 1 == file.pending.size();
    if (variant == 3 && !last) continue;
    if (variant == 2 && last && change.data) {
      const std::string half = change.data->substr(0, change.data->size() / 2);
      apply(contents, change.offset, &half);
    } else {
      apply(contents, change.offset, change.data.get());
    }
  }
  if (variant == 4 && contents.size() > file.synced->size()) {
    std::fill(contents.begin() + static_cast<std::ptrdiff_t>(file.synced->size()), contents.end(),
              '\0');
  }
  return contents;
}

void CrashDisk::lay_out(const Point& point, Id id, const std::string& path,
                        const std::map<Id, unsigned>& choice, Tree& tree) {
  if (const auto file = point.files.find(id); file != point.files.end()) {
    tree[path] = contents_of(file->second, choice.at(id));
    return;
  }
  const Folder& folder = point.folders.at(id);
  Folder chosen = {.synced = folder.synced, .pending = {}};
  for (std::size_t i = 0; i < folder.pending.size(); ++i) {
    if ((choice.at(id) >> i & 1U) != 0) chosen.pending.push_back(folder.pending[i]);
  }
  tree[path] = std::nullopt;
  for (const auto& [name, inside] : names_of(chosen))
    lay_out(point, inside, path + "/" + name, choice, tree);
}

std::size_t CrashDisk::for_each_state(std::size_t calls, const Check& check, std::uint64_t most) {
  const Point& point = points_.at(calls);
  std::map<Id, unsigned> ways;  // number of possible states of each file and folder
  for (const auto& [id, file] : point.files) ways[id] = file.pending.empty() ? 1 : kFileVariants;
  for (const auto& [id, folder] : point.folders)
    ways[id] = 1U << std::min<std::size_t>(folder.pending.size(), 16);
  double all = 1.0;
  for (const auto& [id, count] : ways) all *= count;

  std::mt19937_64 random(calls);
  const bool sampled = all > static_cast<double>(most);
  std::size_t laid_out = 0;
  for (std::uint64_t n = 0; n < (sampled ? most : static_cast<std::uint64_t>(all)); ++n) {
    std::map<Id, unsigned> choice;
    std::uint64_t rest = n;
    for (const auto& [id, count] : ways) {
      const bool is_file = point.files.contains(id);
      if (!sampled) {
        choice[id] = static_cast<unsigned>(rest % count);
        rest /= count;
      } else if (n < 2) {  // no pending change, and all of them
        choice[id] = n == 0 ? 0 : is_file ? std::min(1U, count - 1) : count - 1;
      } else {
        choice[id] = static_cast<unsigned>(random() % count);
      }
    }
    Tree tree;
    lay_out(point, 0, "", choice, tree);
    std::string text;
    for (const auto& [path, contents] : tree)
      text += path + (contents ? "=" + *contents : "/") + "\n";
    if (!seen_.insert(std::hash<std::string>()(text)).second) continue;
    const TemporaryFolder folder;
    for (const auto& [path, contents] : tree) {
      if (!contents) fs::create_directories(folder.path().string() + path);
      if (contents) std::ofstream(folder.path().string() + path, std::ios::binary) << *contents;
    }
    check(folder.path());
    ++laid_out;
  }
  return laid_out;
}

std::size_t CrashDisk::for_each_state(const Check& check) {
  std::size_t laid_out = 0;
  for (std::size_t calls = 0; calls <= size(); ++calls) laid_out += for_each_state(calls, check);
  return laid_out;
}

}  // namespace halfstep::io
