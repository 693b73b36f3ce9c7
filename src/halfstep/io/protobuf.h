// The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), which ONNX models
// and TensorBoard's events use. A message is a sequence of fields in any order; a field is a key,
// (number << 3) | wire type, and a value. Depends on no library, and knows no schema.
#ifndef HALFSTEP_IO_PROTOBUF_H_
#define HALFSTEP_IO_PROTOBUF_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::io {

// Readers refuse messages of 2 GiB and more.
inline constexpr std::uint64_t kMaxProtoBytes = (std::uint64_t{1} << 31) - 1;

// The wire types that are in use.
enum class ProtoWire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// A message that is written field by field. Large fields may be views of memory that the caller
// keeps, so that they are copied only into the file.
class ProtoMessage {
 public:
  void integer(int field, std::int64_t value);  // int32, int64, bool or an enum
  void float32(int field, float value);
  void float64(int field, double value);
  void bytes(int field, std::string_view value);  // string or bytes
  void message(int field, const ProtoMessage& value);
  // As bytes(), but without a copy: `value` must live until the message was written.
  void view(int field, std::span<const std::byte> value);

  // Returns the encoded size in bytes.
  std::uint64_t size() const;

  // Calls `consume` with the encoded bytes, piece by piece.
  void for_each_piece(const std::function<void(std::string_view)>& consume) const;

  // Returns the encoded bytes.
  std::string text() const;

 private:
  struct View {
    std::size_t position;  // in copied_, of the byte that it is before
    std::string_view bytes;
  };
  void key(int field, ProtoWire wire);
  void varint(std::uint64_t value);

  std::string copied_;  // the encoded bytes except for views
  std::vector<View> views_;
};

// Reads the fields of a message that is somewhere in a file, without trusting it: a field that does
// not end inside its message, a varint of more than 10 bytes, field number 0 and unknown wire types
// throw FormatError.
//
//   for (ProtoReader reader(read, 0, size, name); reader.next();) ... reader.field() ...
class ProtoReader {
 public:
  // Fills its second argument with the bytes at an offset. Throws if there are fewer.
  using ReadAt = std::function<void(std::uint64_t offset, std::span<std::byte> to)>;

  // Reads the message in [begin, end). `name` is used in messages.
  ProtoReader(ReadAt read, std::uint64_t begin, std::uint64_t end, std::string name);

  // Moves to the next field. Returns false at the end of the message.
  bool next();

  // The current field.
  int field() const { return field_; }
  std::uint64_t integer() const { return value_; }  // of a varint
  std::uint64_t size() const { return size_; }      // of bytes
  // Returns its bytes. Throws FormatError if it has another wire type or more than `most` bytes.
  std::string bytes(std::uint64_t most) const;
  // Returns a reader of the message that it is. Throws FormatError if it has another wire type.
  ProtoReader message() const;

 private:
  std::uint64_t varint();
  void require_bytes() const;
  [[noreturn]] void fail(const std::string& expected, const std::string& received) const;

  ReadAt read_;
  std::uint64_t position_;  // of the next byte
  std::uint64_t end_;
  std::string name_;
  int field_ = 0;
  ProtoWire wire_ = ProtoWire::varint;
  std::uint64_t value_ = 0;
  std::uint64_t begin_ = 0;  // of the current field's bytes
  std::uint64_t size_ = 0;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_PROTOBUF_H_
