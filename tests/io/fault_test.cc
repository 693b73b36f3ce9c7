// Every system call of every writer fails in every possible way.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "halfstep/io/disk.h"
#include "halfstep/io/image.h"
#include "halfstep/io/json.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/io/tfevents.h"
#include "tests/io/faulty_calls.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

std::string said(const Fault& fault) {
  return fault.call + " with " +
         (fault.error == FaultyCalls::kShortWrite ? "a short write" : std::strerror(fault.error));
}

class Fresh {
 public:
  void reset() { folder_ = std::make_unique<TemporaryFolder>(); }
  fs::path operator/(const std::string& name) const { return *folder_ / name; }
  std::ptrdiff_t files() const { return folder_->files(); }

 private:
  std::unique_ptr<TemporaryFolder> folder_;
};

TEST(Fault, LeavesTheOldFileOrTheNewOneAndNoOthers) {
  const Array array{DType::u8, {40000}, Bytes(40000)};
  const std::map<std::string, ArrayView> arrays = {{"a", array.view()}};
  const Image image{.width = 2, .height = 1, .channels = 1, .pixels = {1, 2}};
  const std::map<std::string, std::function<void(const fs::path&)>> writers = {
      {"plain", [&](const fs::path& path) { write_file(path, array.bytes); }},
      {"json",
       [&](const fs::path& path) {
         write_json(path, {{"a", 1}});
       }},
      {"npy", [&](const fs::path& path) { write_npy(path, array.view()); }},
      {"npz", [&](const fs::path& path) { write_npz(path, arrays); }},
      {"png", [&](const fs::path& path) { write_png(path, image); }},
      {"safetensors", [&](const fs::path& path) { write_safetensors(path, arrays); }}};
  for (const auto& [name, write] : writers) {
    Fresh folder;
    folder.reset();
    write(folder / "x");
    const std::string whole = read_file(folder / "x");
    const std::size_t faults = for_each_fault(
        [&] {
          folder.reset();
          write_file(folder / "x", std::string_view("old"));
        },
        [&, &write = write] { write(folder / "x"); },
        [&, &name = name](const Fault& fault, bool threw) {
          SCOPED_TRACE(name + ": " + said(fault));
          const std::string found = read_file(folder / "x");
          EXPECT_TRUE(found == "old" || found == whole);
          if (!threw) {
            EXPECT_EQ(found, whole);
          }
          if (fault.harmless()) {
            EXPECT_FALSE(threw);
          }
          if (fault.call == "write" || fault.call == "rename") {
            EXPECT_EQ(threw, !fault.harmless());
          }
          EXPECT_EQ(folder.files(), 1);
        });
    EXPECT_GT(faults, 20u) << name;
  }
}

TEST(Fault, InAppendRemovesThePartialPiece) {
  Fresh folder;
  const std::size_t faults = for_each_fault(
      [&] {
        folder.reset();
        write_file(folder / "x", std::string_view("first\n"));
      },
      [&] { EXPECT_EQ(AppendFile(folder / "x").append("second\n"), 13u); },
      [&](const Fault& fault, bool threw) {
        SCOPED_TRACE(said(fault));
        EXPECT_EQ(read_file(folder / "x"), threw ? "first\n" : "first\nsecond\n");
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
      });
  EXPECT_GT(faults, 5u);
}

TEST(Fault, InEventFileLeavesWholeRecords) {
  Fresh folder;
  std::size_t length = 0;
  const std::size_t faults = for_each_fault(
      [&] { folder.reset(); },
      [&] {
        EventFile file(folder / "", 1.0);
        file.append(session_start_event(1.0, 1));
        length = fs::file_size(file.path());
      },
      [&](const Fault& fault, bool threw) {
        SCOPED_TRACE(said(fault));
        const std::size_t version = event_record(version_event(1.0)).size();
        for (const auto& entry : fs::directory_iterator(folder / "")) {
          const std::size_t size = fs::file_size(entry.path());
          EXPECT_TRUE(size == length || (threw && (size == version || size == 0))) << size;
        }
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
      });
  EXPECT_GT(faults, 5u);
}

TEST(Fault, InTruncateSyncOrMakeFolderIsReportedOrHandled) {
  Fresh folder;
  const auto prepare = [&] {
    folder.reset();
    write_file(folder / "x", std::string_view("123456"));
  };
  for_each_fault(
      prepare, [&] { truncate_file(folder / "x", 3); },
      [&](const Fault& fault, bool threw) {
        SCOPED_TRACE(said(fault));
        if (!threw) {
          EXPECT_EQ(read_file(folder / "x"), "123");
        }
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
      });
  for_each_fault(
      prepare, [&] { sync_file(folder / "x"); },
      [&](const Fault& fault, bool threw) {
        SCOPED_TRACE(said(fault));
        if (fault.call == "fsync") {
          EXPECT_EQ(threw, !fault.harmless());
        }
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
      });
  for_each_fault(
      prepare, [&] { make_folder(folder / "a/b"); },
      [&](const Fault& fault, bool threw) {
        SCOPED_TRACE(said(fault));
        if (!threw) {
          EXPECT_TRUE(fs::is_directory(folder / "a/b"));
        }
        if (fault.call == "mkdir") {
          EXPECT_TRUE(threw);
        }
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
      });
}

TEST(Space, ErrorNamesRequiredAndFreeSpace) {
  class Full final : public SystemCalls {
   public:
    int statvfs(const char*, struct statvfs* result) override {
      *result = {};
      result->f_blocks = blocks;
      result->f_frsize = 4096;
      result->f_bavail = 256;  // 1 MiB
      return 0;
    }
    fsblkcnt_t blocks = 1000;
  } disk;
  const TemporaryFolder folder;
  const ReplacedSystemCalls replaced(disk);
  EXPECT_NO_THROW(require_space(folder.path(), 1 << 20, "a state"));
  expect_error<IoError>([&] { require_space(folder.path(), (3 << 20) / 2, "a state"); },
                        "expected 1.5 MiB free for a state, received 1.0 MiB; free some space");
  disk.blocks = 0;  // does not report its size
  EXPECT_NO_THROW(require_space(folder.path(), std::uint64_t{1} << 50, "a state"));
}

}  // namespace
}  // namespace halfstep::io
