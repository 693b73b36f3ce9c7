#include "halfstep/io/protobuf.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "halfstep/core/error.h"

namespace halfstep::io {
namespace {

constexpr std::uint64_t kMaxField = (std::uint64_t{1} << 29) - 1;

template <class T>
void append_little_endian(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>((value >> (8 * i)) & 0xff);
}

void append_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>((value & 0x7f) | 0x80);
  to += static_cast<char>(value);
}

}  // namespace

void ProtoMessage::varint(std::uint64_t value) { append_varint(copied_, value); }

void ProtoMessage::key(int field, ProtoWire wire) {
  varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire));
}

void ProtoMessage::integer(int field, std::int64_t value) {
  key(field, ProtoWire::varint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtoMessage::float32(int field, float value) {
  key(field, ProtoWire::fixed32);
  append_little_endian(copied_, std::bit_cast<std::uint32_t>(value));
}

void ProtoMessage::float64(int field, double value) {
  key(field, ProtoWire::fixed64);
  append_little_endian(copied_, std::bit_cast<std::uint64_t>(value));
}

void ProtoMessage::bytes(int field, std::string_view value) {
  key(field, ProtoWire::bytes);
  varint(value.size());
  copied_ += value;
}

void ProtoMessage::message(int field, const ProtoMessage& value) {
  key(field, ProtoWire::bytes);
  varint(value.size());
  for (const View& view : value.views_)
    views_.push_back({.position = copied_.size() + view.position, .bytes = view.bytes});
  copied_ += value.copied_;
}

void ProtoMessage::view(int field, std::span<const std::byte> value) {
  key(field, ProtoWire::bytes);
  varint(value.size());
  views_.push_back({.position = copied_.size(),
                    .bytes = {reinterpret_cast<const char*>(value.data()), value.size()}});
}

std::uint64_t ProtoMessage::size() const {
  std::uint64_t size = copied_.size();
  for (const View& view : views_) size += view.bytes.size();
  return size;
}

void ProtoMessage::for_each_piece(const std::function<void(std::string_view)>& consume) const {
  const std::string_view copied = copied_;
  std::size_t done = 0;
  for (const View& view : views_) {
    consume(copied.substr(done, view.position - done));
    consume(view.bytes);
    done = view.position;
  }
  consume(copied.substr(done));
}

std::string ProtoMessage::text() const {
  std::string text;
  text.reserve(size());
  for_each_piece([&](std::string_view piece) { text += piece; });
  return text;
}

ProtoReader::ProtoReader(ReadAt read, std::uint64_t begin, std::uint64_t end, std::string name)
    : read_(std::move(read)), position_(begin), end_(end), name_(std::move(name)) {}

void ProtoReader::fail(const std::string& expected, const std::string& received) const {
  throw FormatError(name_, "protocol buffer: expected " + expected + ", received " + received +
                               "; the file is damaged or of another format");
}

std::uint64_t ProtoReader::varint() {
  constexpr int kMostBytes = 10;
  std::uint64_t value = 0;
  for (int i = 0; i < kMostBytes; ++i) {
    if (position_ == end_) fail("a number", "the end of the message");
    std::byte byte{};
    read_(position_++, {&byte, 1});
    value |= static_cast<std::uint64_t>(byte & std::byte{0x7f}) << (7 * i);
    if ((byte & std::byte{0x80}) == std::byte{0}) return value;
  }
  fail("a number of at most 10 bytes", "a longer one");
}

bool ProtoReader::next() {
  if (position_ == end_) return false;
  const std::uint64_t key = varint();
  const std::uint64_t number = key >> 3;
  if (number == 0 || number > kMaxField) fail("a field number", std::to_string(number));
  field_ = static_cast<int>(number);
  wire_ = static_cast<ProtoWire>(key & 7);
  value_ = 0;
  switch (wire_) {
    case ProtoWire::varint:
      value_ = varint();
      size_ = 0;
      break;
    case ProtoWire::fixed64:
      size_ = sizeof(std::uint64_t);
      break;
    case ProtoWire::bytes:
      size_ = varint();
      break;
    case ProtoWire::fixed32:
      size_ = sizeof(std::uint32_t);
      break;
    default:
      fail("wire type 0, 1, 2 or 5", std::to_string(key & 7));
  }
  if (size_ > end_ - position_) {
    fail("a field of at most " + std::to_string(end_ - position_) + " bytes",
         std::to_string(size_));
  }
  begin_ = position_;
  position_ += size_;
  return true;
}

void ProtoReader::require_bytes() const {
  if (wire_ == ProtoWire::bytes) return;
  fail("bytes in field " + std::to_string(field_),
       "wire type " + std::to_string(static_cast<int>(wire_)));
}

std::string ProtoReader::bytes(std::uint64_t most) const {
  require_bytes();
  if (size_ > most) {
    fail("at most " + std::to_string(most) + " bytes in field " + std::to_string(field_),
         std::to_string(size_));
  }
  std::string bytes(size_, '\0');
  read_(begin_, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

ProtoReader ProtoReader::message() const {
  require_bytes();
  return {read_, begin_, begin_ + size_, name_};
}

}  // namespace halfstep::io
