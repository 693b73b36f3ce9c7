// The file format is defined by the structures of mdb.c (LMDB 0.9), with 64-bit page numbers:
//
//   page      u64 number, u16 pad, u16 flags, then u16 lower, u16 upper; or u32 pages (overflow)
//   branch    offsets of the nodes, u16 each, up to `lower`; the nodes, from `upper` on
//   leaf      the same
//   overflow  the value, over as many pages as it needs
//   node      u32 size of the value (in a branch, u48 number of the page below), u16 flags, u16
//             size of the key, key, value; or instead of the value the u64 number of its first
//             overflow page
//   meta      page header, u32 magic, u32 version, u64 address, u64 map size, database of the free
//             pages, database of the entries, u64 last page, u64 transaction; pages 0 and 1
//   database  u32 pad (in the first one, the page size), u16 flags, u16 depth, u64 branch pages,
//             u64 leaf pages, u64 overflow pages, u64 entries, u64 root page
#include "halfstep/io/lmdb.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"
#include "halfstep/io/random_access.h"

namespace halfstep::io {
namespace {

static_assert(std::endian::native == std::endian::little);

using Page = std::vector<std::byte>;

constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};  // the root of an empty database
constexpr std::uint64_t kPageHeader = 16, kNodeHeader = 8;
constexpr std::uint64_t kMetaSize = kPageHeader + 136;
constexpr std::uint64_t kSmallestPage = 256, kLargestPage = 32768;
// Bounds the memory for the set of pages that were seen, 512 MB. It is 16 TB of pages of 4 KiB.
constexpr std::uint64_t kMostPages = std::uint64_t{1} << 32;
constexpr int kMostLevels = 32;  // liblmdb's CURSOR_STACK

enum PageFlag : std::uint16_t { kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04, kMeta = 0x08 };
enum NodeFlag : std::uint16_t { kBigData = 0x01, kSubDatabase = 0x02, kDuplicates = 0x04 };
enum DatabaseFlag : std::uint16_t { kReverseKey = 0x02, kDupSort = 0x04, kIntegerKey = 0x08 };

template <class T>
T load(std::span<const std::byte> from, std::uint64_t offset) {
  T value;
  std::memcpy(&value, from.subspan(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

struct Meta {
  std::uint64_t page_size, last_page, transaction, entries, root;
  std::uint16_t database_flags, depth;
};

Meta meta_of(std::span<const std::byte> page) {
  constexpr std::uint64_t kDatabase = 48, kFree = kPageHeader + 24, kMain = kFree + kDatabase;
  return {.page_size = load<std::uint32_t>(page, kFree),
          .last_page = load<std::uint64_t>(page, kMain + kDatabase),
          .transaction = load<std::uint64_t>(page, kMain + kDatabase + 8),
          .entries = load<std::uint64_t>(page, kMain + 32),
          .root = load<std::uint64_t>(page, kMain + 40),
          .database_flags = load<std::uint16_t>(page, kMain + 4),
          .depth = load<std::uint16_t>(page, kMain + 6)};
}

}  // namespace

// Walks the tree once and fills in the entries of the reader.
class LmdbReader::Listing {
 public:
  Listing(LmdbReader& reader, std::uint64_t file_size) : reader_(reader), file_size_(file_size) {}

  void list() {
    find_newest_meta();
    reader_.page_size_ = meta_.page_size;
    if (meta_.root == kNoPage) {
      require_entries();
      return;
    }
    if (meta_.depth < 1 || meta_.depth > kMostLevels) fail("a tree of 1 to 32 levels", meta_.depth);
    seen_.resize(meta_.last_page + 1);
    walk(meta_.root, 1);
    require_entries();
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& received) const {
    throw FormatError("lmdb", reader_.name_ + ": expected " + expected + ", received " + received +
                                  "; the file is damaged, copy or download it again");
  }
  [[noreturn]] void fail(const std::string& expected, std::uint64_t received) const {
    fail(expected, std::to_string(received));
  }
  [[noreturn]] void fail_page(std::uint64_t number, const std::string& received) const {
    fail("a valid page " + std::to_string(number), received);
  }

  Meta read_meta(std::uint64_t number, std::uint64_t page_size) const {
    std::array<std::byte, kMetaSize> page;
    const std::uint64_t offset = number * page_size;
    if (file_size_ < offset + page.size()) {
      fail("a valid LMDB environment", "a file of " + std::to_string(file_size_) + " bytes");
    }
    reader_.read_at_(offset, page);
    const bool is_meta = load<std::uint16_t>(page, 10) == kMeta &&
                         load<std::uint64_t>(page, 0) == number &&
                         load<std::uint32_t>(page, kPageHeader) == kMagic;
    if (!is_meta) {
      fail("a valid LMDB environment (64-bit, little-endian)",
           "another format in page " + std::to_string(number));
    }
    if (const auto version = load<std::uint32_t>(page, kPageHeader + 4); version != kVersion) {
      fail("a valid LMDB environment of data version 1", "version " + std::to_string(version));
    }
    const Meta meta = meta_of(page);
    const bool size_is_valid = std::has_single_bit(meta.page_size) &&
                               meta.page_size >= kSmallestPage && meta.page_size <= kLargestPage;
    if (!size_is_valid || (number > 0 && meta.page_size != page_size)) {
      fail("a valid LMDB environment", "pages of " + std::to_string(meta.page_size) + " bytes");
    }
    return meta;
  }

  // Transactions write the two meta pages in turn.
  void find_newest_meta() {
    meta_ = read_meta(0, 0);
    const Meta other = read_meta(1, meta_.page_size);
    if (other.transaction > meta_.transaction) meta_ = other;
    if (meta_.last_page >= file_size_ / meta_.page_size) {
      fail(std::to_string(meta_.last_page) + " pages of " + std::to_string(meta_.page_size) +
               " bytes and one more",
           std::to_string(file_size_) + " bytes");
    }
    if (meta_.last_page >= kMostPages) fail("fewer than 2^32 pages", meta_.last_page);
    if ((meta_.database_flags & ~(kReverseKey | kIntegerKey)) == 0) return;
    throw FormatError("lmdb", reader_.name_ + ": expected one value per key, received a database " +
                                  "with flags " + std::to_string(meta_.database_flags));
  }

  // Marks pages as used, each of which belongs to one node only.
  void use(std::uint64_t first, std::uint64_t count, const char* what) {
    if (first < 2 || first > meta_.last_page || count > meta_.last_page - first + 1) {
      fail(std::string(what) + " from 2 to " + std::to_string(meta_.last_page),
           std::to_string(count) + " from " + std::to_string(first) + " on");
    }
    for (std::uint64_t page = first; page < first + count; ++page) {
      if (seen_[page]) fail_page(page, "one that is used twice");
      seen_[page] = true;
    }
  }

  void walk(std::uint64_t number, int level) {
    use(number, 1, "page numbers");
    Page page(meta_.page_size);
    reader_.read_at_(number * meta_.page_size, page);
    const bool is_leaf = level == meta_.depth;
    if (load<std::uint64_t>(page, 0) != number) fail_page(number, "another number in it");
    if (const auto flags = load<std::uint16_t>(page, 10); flags != (is_leaf ? kLeaf : kBranch))
      fail_page(number, "flags " + std::to_string(flags));
    const std::uint64_t lower = load<std::uint16_t>(page, 12),
                        upper = load<std::uint16_t>(page, 14);
    if (lower <= kPageHeader || lower % 2 != 0 || lower > upper || upper > page.size())
      fail_page(number, "bounds " + std::to_string(lower) + " and " + std::to_string(upper));
    std::uint64_t left = page.size() - upper;  // bytes of the nodes that were not yet met
    for (std::uint64_t offset = kPageHeader; offset < lower; offset += 2) {
      const std::uint64_t at = load<std::uint16_t>(page, offset);
      if (at < upper || at + kNodeHeader > page.size())
        fail_page(number, "a node at byte " + std::to_string(at));
      const auto node = std::span<const std::byte>(page).subspan(at);
      const std::uint64_t size =
          is_leaf ? add_entry(number, at, node) : add_branch(number, node, level);
      if (size > left) fail_page(number, "nodes that overlap");
      left -= size;
    }
  }

  std::string_view key_of(std::uint64_t number, std::span<const std::byte> node) const {
    const std::uint64_t size = load<std::uint16_t>(node, 6);
    if (kNodeHeader + size > node.size())
      fail_page(number, "a key of " + std::to_string(size) + " bytes");
    return {reinterpret_cast<const char*>(node.data()) + kNodeHeader, size};
  }

  // These two return the size of the node.
  std::uint64_t add_branch(std::uint64_t number, std::span<const std::byte> node, int level) {
    const std::string_view key = key_of(number, node);
    const std::uint64_t below =
        load<std::uint32_t>(node, 0) | std::uint64_t{load<std::uint16_t>(node, 4)} << 32;
    walk(below, level + 1);
    return kNodeHeader + key.size();
  }

  std::uint64_t add_entry(std::uint64_t number, std::uint64_t at, std::span<const std::byte> node) {
    const std::string_view key = key_of(number, node);
    const auto flags = load<std::uint16_t>(node, 4);
    if (flags == kSubDatabase) {
      throw FormatError("lmdb", reader_.name_ + ": expected images, received the named database " +
                                    quote(key) + "; store the images in the unnamed one");
    }
    if ((flags & ~kBigData) != 0) fail_page(number, "a node with flags " + std::to_string(flags));
    require_order(number, key);
    const std::uint64_t value = kNodeHeader + key.size();
    const auto size = load<std::uint32_t>(node, 0);
    const bool has_pages = flags == kBigData;
    const std::uint64_t inside = has_pages ? sizeof(std::uint64_t) : size;
    if (inside > node.size() - value)
      fail_page(number, "a value of " + std::to_string(size) + " bytes");
    std::uint64_t offset = number * meta_.page_size + at + value;
    if (has_pages) {
      const auto first = load<std::uint64_t>(node, value);
      use(first, (kPageHeader + size + meta_.page_size - 1) / meta_.page_size, "overflow pages");
      offset = first * meta_.page_size + kPageHeader;
    }
    reader_.entries_.push_back({.key_offset = reader_.keys_.size(),
                                .value_offset = offset,
                                .value_size = size,
                                .key_size = static_cast<std::uint16_t>(key.size()),
                                .has_pages = has_pages});
    reader_.keys_ += key;
    return value + inside;
  }

  // Keys increase; but for databases that compare them in another way than as bytes.
  void require_order(std::uint64_t number, std::string_view key) const {
    if (reader_.entries_.empty() || meta_.database_flags != 0) return;
    if (reader_.key(reader_.entries_.size() - 1) >= key)
      fail_page(number, "the key " + quote(key) + " after a greater one");
  }

  void require_entries() const {
    if (reader_.entries_.size() != meta_.entries)
      fail(std::to_string(meta_.entries) + " entries", reader_.entries_.size());
  }

  LmdbReader& reader_;
  const std::uint64_t file_size_;
  Meta meta_ = {};
  std::vector<bool> seen_;  // by page
};

LmdbReader::LmdbReader(const std::filesystem::path& path) : name_(path.string()) {
  const auto file = std::make_shared<const RandomAccessFile>(path);
  read_at_ = [file](std::uint64_t offset, std::span<std::byte> to) { file->read_at(offset, to); };
  open(file->size());
}

LmdbReader::LmdbReader(std::string contents, std::string name) : name_(std::move(name)) {
  const auto shared = std::make_shared<const std::string>(std::move(contents));
  read_at_ = [shared](std::uint64_t offset, std::span<std::byte> to) {
    std::ranges::copy(std::as_bytes(std::span(*shared)).subspan(offset, to.size()), to.begin());
  };
  open(shared->size());
}

void LmdbReader::open(std::uint64_t file_size) { Listing(*this, file_size).list(); }

std::string_view LmdbReader::key(std::size_t i) const {
  const Entry& entry = entries_[i];
  return std::string_view(keys_).substr(entry.key_offset, entry.key_size);
}

void LmdbReader::read_at(std::size_t i, std::uint64_t offset, std::span<std::byte> to) const {
  const Entry& entry = entries_[i];
  if (entry.has_pages) {
    std::array<std::byte, kPageHeader> header;
    const std::uint64_t first = entry.value_offset - kPageHeader;
    read_at_(first, header);
    const bool is_valid = load<std::uint64_t>(header, 0) == first / page_size_ &&
                          load<std::uint16_t>(header, 10) == kOverflow &&
                          load<std::uint32_t>(header, 12) * page_size_ >=
                              kPageHeader + std::uint64_t{entry.value_size};
    if (!is_valid) {
      throw FormatError("lmdb", name_ + " key " + quote(key(i)) + ": expected an overflow page, " +
                                    "received another one; the file is damaged, copy or download " +
                                    "it again");
    }
  }
  read_at_(entry.value_offset + offset, to);
}

}  // namespace halfstep::io
