#include "halfstep/data/folder_walk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class FolderWalk : public testing::Test {
 protected:
  void add(const std::string& name) { write_image(folder / name, counting_image(2, 2, 3)); }
  void link(const std::string& target, const std::string& name) {
    fs::create_directories((folder / name).parent_path());
    fs::create_symlink(folder / target, folder / name);
  }
  ImageListing list(const std::string& name = "set") { return list_folder(folder / name); }

  io::TemporaryFolder folder;
};

TEST_F(FolderWalk, FollowsLinksToFoldersAtEveryDepth) {
  add("store/a.png");
  add("store/deep/b.png");
  link("store", "set/cat");
  link("store/deep", "set/dog/more");
  add("set/dog/c.png");
  const ImageListing listing = list();
  EXPECT_EQ(listing.sorted(),
            (Names{"cat/a.png", "cat/deep/b.png", "dog/c.png", "dog/more/b.png"}));
  EXPECT_TRUE(listing.all_passed_over().empty());
}

TEST_F(FolderWalk, ReadsEachFolderOnceWithinATopLevelFolder) {
  add("set/cat/a.png");
  link("set", "set/cat/again");       // a circle
  link("set/cat", "set/cat/myself");  // a shorter one
  add("store/b.png");
  link("store", "set/cat/one");
  link("store", "set/cat/two");
  const ImageListing listing = list();
  EXPECT_EQ(listing.sorted(), (Names{"cat/a.png", "cat/one/b.png"}));
  EXPECT_EQ(listing.all_passed_over().text(), "3 links");
}

TEST_F(FolderWalk, AFolderIsReadUnderItsOwnNameRatherThanThroughALink) {
  add("set/cat/z/a.png");
  link("set/cat/z", "set/cat/a");
  EXPECT_EQ(list().sorted(), Names{"cat/z/a.png"});
}

TEST_F(FolderWalk, ManyLinksToEachOtherEnd) {
  for (int i = 0; i < 40; ++i) {  // 2^40 paths
    const std::string here = "set/top/" + std::to_string(i),
                      next = "set/top/" + std::to_string(i + 1);
    add(here + "/a.png");
    link(next, here + "/x");
    link(next, here + "/y");
  }
  EXPECT_EQ(list().sorted().size(), 40u);
}

TEST_F(FolderWalk, CountsBrokenLinksAndSpecialFiles) {
  add("set/cat/a.png");
  link("gone.png", "set/cat/gone.png");
  link("set/cat/itself.png", "set/cat/itself.png");
  fs::create_symlink(std::string(300, 'x'), folder / "set" / "cat" / "long.png");
  ASSERT_EQ(mkfifo((folder / "set" / "cat" / "pipe.png").c_str(), 0600), 0);
  link("set/cat/pipe.png", "set/cat/link-to-pipe.png");
  const ImageListing listing = list();
  EXPECT_EQ(listing.sorted(), Names{"cat/a.png"});
  EXPECT_EQ(listing.all_passed_over().text(), "3 broken links, 2 pipes, sockets or devices");
  const auto dataset = open_dataset(folder / "set");
  EXPECT_EQ(dataset->info().notes(),
            Names{"passed over: 3 broken links, 2 pipes, sockets or devices"});
}

TEST_F(FolderWalk, SplitsOfLinksToTheSameFoldersAreBothWhole) {
  add("store/a/1.png");
  add("store/b/2.png");
  for (const char* split : {"train", "val"}) {
    for (const char* name : {"a", "b"})
      link(std::string("store/") + name, std::string("set/") + split + '/' + name);
  }
  for (const auto split : {DatasetOptions::Split::train, DatasetOptions::Split::test}) {
    const auto dataset = open_dataset(folder / "set", {.split = split});
    EXPECT_EQ(dataset->info().class_names, (Names{"a", "b"}));
    EXPECT_TRUE(dataset->info().notes().empty());
  }
}

TEST_F(FolderWalk, NamesThatAreNotUtf8AreRead) {
  add("set/caf\xe9/\xff.png");
  const auto dataset = open_dataset(folder / "set");
  EXPECT_EQ(dataset->info().class_names, Names{"caf\\xe9"});
  EXPECT_EQ(pixels_of(*dataset, 0)[1], 3);
}

TEST_F(FolderWalk, AnUnreadableFolderIsNamed) {
  io::expect_error<IoError>([&] { list("gone"); }, "gone: expected a readable file or folder");
}

}  // namespace
}  // namespace halfstep::data
