#include "halfstep/checkpoint/state_slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "halfstep/checkpoint/state_writer.h"
#include "halfstep/io/disk.h"
#include "tests/io/crash_disk.h"
#include "tests/io/faulty_calls.h"
#include "tests/io/full_disk.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

StateImage state_at(int64_t total_updates) {
  StateImage image;
  const std::vector<float> values(40, static_cast<float>(total_updates));
  image.arrays["parameters"] = io::make_array<float>({40}, values);
  image.arrays["first_moment"] = io::make_array<float>({40}, values);
  image.manifest = {{"version", 2}, {"total_updates", total_updates}, {"stats_bytes", 0}};
  return image;
}

void accept_all(const StateImage&, const std::string&) {}

// Returns total_updates of the newest state, or 0 if nothing was saved. Checks that the arrays
// belong to that state.
int64_t loaded(StateSlots slots) {
  const auto found = slots.load(accept_all);
  if (!found) return 0;
  const int64_t total = found->state.manifest.at("total_updates");
  EXPECT_EQ(found->state.arrays.at("parameters").bytes,
            state_at(total).arrays.at("parameters").bytes);
  EXPECT_EQ(found->state.arrays.at("first_moment").bytes,
            state_at(total).arrays.at("first_moment").bytes);
  return total;
}

class StateSlotsTest : public ::testing::Test {
 protected:
  fs::path slot(int number) const { return folder / ("run/state/slot-" + std::to_string(number)); }
  static void corrupt(const fs::path& file) {
    std::string contents = io::read_file(file);
    contents[contents.size() - 3] ^= 1;
    io::write_file(file, contents);
  }
  static StateSlots slots_in(const fs::path& root) {
    return {root / "run/state", root / "run/stats.jsonl"};
  }

  io::TemporaryFolder folder;
  StateSlots slots = slots_in(folder.path());
};

TEST_F(StateSlotsTest, NewestStateWinsAndThePreviousOneIsKept) {
  EXPECT_EQ(loaded(slots_in(folder.path())), 0);
  for (const int64_t total : {1, 2, 3, 4, 5}) {
    slots.save(state_at(total));
    EXPECT_EQ(loaded(slots_in(folder.path())), total);
  }
  fs::remove_all(slot(0));  // the newest of five
  EXPECT_EQ(loaded(slots_in(folder.path())), 4);
}

TEST_F(StateSlotsTest, DamagedTruncatedOrMissingPartsAreReported) {
  slots.save(state_at(1));
  slots.save(state_at(2));
  const auto damage = [&] { return slots_in(folder.path()).load(accept_all)->damage; };
  EXPECT_EQ(damage(), "");
  io::Unsynced unsynced;
  const io::ReplacedSystemCalls quick(unsynced);
  const std::string manifest = io::read_file(slot(1) / "manifest.json");
  const std::string tensors = io::read_file(slot(1) / "tensors.safetensors");

  for (size_t at = 0; at < manifest.size(); ++at) {
    std::string wrong = manifest;
    wrong[at] ^= 1;
    io::write_file(slot(1) / "manifest.json", wrong);
    EXPECT_EQ(loaded(slots_in(folder.path())), 1) << at;
    EXPECT_NE(damage(), "") << at;
    io::write_file(slot(1) / "manifest.json", manifest.substr(0, at));
    const bool whole = at + 1 == manifest.size();  // only the final newline is missing
    EXPECT_EQ(loaded(slots_in(folder.path())), whole ? 2 : 1) << at;
    EXPECT_EQ(damage().empty(), whole) << at;
  }
  io::write_file(slot(1) / "manifest.json", manifest);
  corrupt(slot(1) / "tensors.safetensors");
  EXPECT_EQ(loaded(slots_in(folder.path())), 1);
  EXPECT_NE(damage().find("sha256: expected"), std::string::npos) << damage();
  fs::remove(slot(1) / "tensors.safetensors");
  EXPECT_EQ(loaded(slots_in(folder.path())), 1);
  corrupt(slot(0) / "tensors.safetensors");
  io::expect_error<FormatError>([&] { loaded(slots_in(folder.path())); },
                                "expected a complete saved state, received none");
}

TEST_F(StateSlotsTest, StatesThatTheReaderRejectsAreNotUsed) {
  slots.save(state_at(1));
  slots.save(state_at(2));
  const auto found = slots.load([](const StateImage& image, const std::string& where) {
    if (image.manifest.at("total_updates") == 2) throw FormatError(where, "another version");
  });
  EXPECT_EQ(found->state.manifest.at("total_updates"), 1);
  EXPECT_NE(found->damage.find("another version"), std::string::npos);
}

// Otherwise a kill during that save would leave one damaged and one incomplete state.
TEST_F(StateSlotsTest, NextSaveOverwritesADamagedState) {
  slots.save(state_at(4));
  slots.save(state_at(5));
  corrupt(slot(1) / "tensors.safetensors");
  StateSlots resumed = slots_in(folder.path());
  ASSERT_EQ(resumed.load(accept_all)->state.manifest.at("total_updates"), 4);
  resumed.save(state_at(5));
  fs::remove_all(slot(1));
  EXPECT_EQ(loaded(slots_in(folder.path())), 4);
}

TEST_F(StateSlotsTest, PowerCutAtAnyMomentOfASaveLeavesTheOldStateOrTheNewOne) {
  fs::create_directories(folder / "run");
  io::CrashDisk disk(folder.path());
  std::vector<size_t> begins;
  {
    const io::ReplacedSystemCalls replaced(disk);
    for (const int64_t total : {1, 2, 3, 4}) {
      io::AppendFile(folder / "run/stats.jsonl").append(std::to_string(total) + "\n");
      begins.push_back(disk.size());
      StateImage state = state_at(total);
      state.manifest["stats_bytes"] = 2 * total;
      slots.save(state);
    }
  }
  size_t states = 0;
  begins.push_back(disk.size());
  for (size_t calls = 0; calls <= disk.size(); ++calls) {
    // After begins[i] calls, states 1 to i have been saved and state i + 1 may have been.
    const auto saved = static_cast<int64_t>(
        std::upper_bound(begins.begin(), begins.end() - 1, calls) - begins.begin() - 1);
    states += disk.for_each_state(calls, [&](const fs::path& root) {
      const int64_t total = loaded(slots_in(root));
      EXPECT_TRUE(total == saved || total == saved + 1)
          << total << " after " << saved << ", " << calls << " calls";
      if (total == 0) return;
      const std::string record = io::read_file(root / "run/stats.jsonl");
      EXPECT_EQ(record.substr(0, 2 * static_cast<size_t>(total)),
                std::string("1\n2\n3\n4\n").substr(0, 2 * static_cast<size_t>(total)));
      // Saving works as usual after the power cut.
      io::Unsynced unsynced;
      const io::ReplacedSystemCalls quick(unsynced);
      StateSlots slots_then = slots_in(root);
      slots_then.load(accept_all);
      slots_then.save(state_at(total + 1));
      EXPECT_EQ(loaded(slots_in(root)), total + 1);
    });
  }
  EXPECT_GT(states, 100u);
  // After the last save has returned, only its state is found.
  io::CrashDisk after(folder.path());
  {
    const io::ReplacedSystemCalls replaced(after);
    slots.save(state_at(5));
  }
  after.for_each_state(after.size(),
                       [](const fs::path& root) { EXPECT_EQ(loaded(slots_in(root)), 5); });
}

TEST_F(StateSlotsTest, FaultOfAnyCallOfASaveLeavesTheOldStateOrTheNewOne) {
  io::Unsynced unsynced;
  std::unique_ptr<io::TemporaryFolder> fresh;
  std::optional<StateSlots> faulty;
  const size_t faults = io::for_each_fault(
      [&] {
        fresh = std::make_unique<io::TemporaryFolder>();
        const io::ReplacedSystemCalls quick(unsynced);
        faulty.emplace(slots_in(fresh->path()));
        faulty->save(state_at(1));
        faulty->save(state_at(2));
        io::write_file(*fresh / "run/stats.jsonl", std::string_view("line\n"));
      },
      [&] { faulty->save(state_at(3)); },
      [&](const io::Fault& fault, bool threw) {
        SCOPED_TRACE(fault.call + " " + std::to_string(fault.error));
        const int64_t total = loaded(slots_in(fresh->path()));
        EXPECT_TRUE(total == 3 || (threw && total == 2)) << total;
        if (fault.harmless()) {
          EXPECT_FALSE(threw);
        }
        const io::ReplacedSystemCalls quick(unsynced);
        faulty->save(state_at(4));  // the disk works again
        EXPECT_EQ(loaded(slots_in(fresh->path())), 4);
      });
  EXPECT_GT(faults, 40u);
}

TEST_F(StateSlotsTest, SaveThatDoesNotFitIsNotStarted) {
  io::FullDisk full;
  slots.save(state_at(1));
  const io::ReplacedSystemCalls replaced(full);
  io::expect_error<IoError>([&] { slots.save(state_at(2)); }, "free some space");
  EXPECT_FALSE(fs::exists(slot(1) / "tensors.safetensors"));
  EXPECT_EQ(loaded(slots_in(folder.path())), 1);
}

// ---- StateWriter

TEST_F(StateSlotsTest, WriterSavesTheImageAndReusesItsMemory) {
  StateWriter writer(std::move(slots));
  EXPECT_FALSE(writer.busy());
  const std::byte* memory = nullptr;
  for (const int64_t total : {1, 2, 3}) {
    StateImage& image = writer.image();
    if (total == 1) image = state_at(1);
    image.manifest = state_at(total).manifest;
    for (auto& [name, array] : image.arrays)
      std::ranges::copy(state_at(total).arrays.at(name).bytes, array.bytes.begin());
    if (total == 1) memory = image.arrays["parameters"].bytes.data();
    EXPECT_EQ(image.arrays["parameters"].bytes.data(), memory);
    writer.write();
    while (writer.busy()) std::this_thread::yield();
    EXPECT_EQ(loaded(slots_in(folder.path())), total);
  }
}

TEST_F(StateSlotsTest, WriterWaitsForAWriteInProgressInItsDestructor) {
  {
    StateWriter writer(std::move(slots));
    writer.image() = state_at(1);
    writer.write();
  }
  EXPECT_EQ(loaded(slots_in(folder.path())), 1);
}

TEST_F(StateSlotsTest, WriterThrowsTheErrorInTheNextCallAndRecovers) {
  slots.save(state_at(1));
  StateWriter writer(std::move(slots));
  for (int way = 0; way < 3; ++way) {
    writer.image() = state_at(2 + way);
    fs::remove_all(slot(1));
    io::write_file(slot(1), std::string_view("not a folder"));
    writer.write();
    io::expect_error<IoError>(
        [&] {
          if (way == 0) writer.finish();
          if (way == 1) writer.image();
          while (way == 2 && writer.busy()) std::this_thread::yield();
        },
        "slot-1");
    EXPECT_EQ(loaded(slots_in(folder.path())), 1);
  }
  fs::remove_all(slot(1));
  writer.image() = state_at(9);
  writer.write();
  writer.finish();
  EXPECT_EQ(loaded(slots_in(folder.path())), 9);
}

}  // namespace
}  // namespace halfstep
