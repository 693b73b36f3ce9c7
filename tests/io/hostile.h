// Malicious inputs. For each of them a reader must throw a halfstep::Error with a one-line message
// or return a valid result. Mutations are the same in every run.
#ifndef HALFSTEP_TESTS_IO_HOSTILE_H_
#define HALFSTEP_TESTS_IO_HOSTILE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"

namespace halfstep::io {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(HALFSTEP_SOURCE_DIR) / "tests/io/data" / name;
}

// Expects `act` to throw an E whose message is one line and contains `part`.
template <class E, class Act>
void expect_error(Act&& act, std::string_view part) {
  try {
    act();
    ADD_FAILURE() << "nothing was thrown; expected an error with: " << part;
  } catch (const E& error) {
    const std::string_view what = error.what();
    EXPECT_NE(what.find(part), std::string_view::npos) << what;
    EXPECT_EQ(what.find('\n'), std::string_view::npos) << what;
  }
}

// Expects `read` to throw FormatError for every proper prefix of `whole`.
template <class Read>
void expect_no_prefix_is_read(const Bytes& whole, Read&& read) {
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE("the first " + std::to_string(length) + " bytes");
    expect_error<FormatError>([&] { read(Bytes(whole.data(), whole.data() + length)); }, "");
  }
}

// Returns `bytes` with one to three random changes.
inline Bytes mutated(Bytes bytes, std::mt19937_64& random) {
  constexpr std::uint64_t kExtreme[] = {
      0,          1,         0x7f,       0xff,        0x7fffffff,
      0xffffffff, INT64_MAX, UINT64_MAX, 0x100000000, 0x8000000000000000};
  for (std::uint64_t left = 1 + random() % 3; left > 0 && !bytes.empty(); --left) {
    const std::size_t at = random() % bytes.size();
    const std::size_t many = std::min<std::size_t>(1 + random() % 16, bytes.size() - at);
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (random() % 6) {
      case 0:
        bytes[at] ^= std::byte{1} << random() % 8;
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 2:
        std::memcpy(&*from, &kExtreme[random() % std::size(kExtreme)],
                    std::min<std::size_t>(many, 8));
        break;
      case 3:
        bytes.erase(from, from + static_cast<std::ptrdiff_t>(many));
        break;
      case 4: {
        const Bytes piece(from, from + static_cast<std::ptrdiff_t>(many));
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random() % bytes.size()),
                     piece.begin(), piece.end());
        break;
      }
      default:
        bytes[at] = static_cast<std::byte>('0' + random() % 10);  // lengths in text
    }
  }
  return bytes;
}

// Expects `read` to accept or reject mutations of `whole`, and to reject some of them.
template <class Read>
void expect_mutations_survived(const Bytes& whole, int rounds, Read&& read) {
  std::mt19937_64 random(whole.size());
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    try {
      read(mutated(whole, random));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "round " << round << " threw " << error.what();
    }
  }
  EXPECT_GT(refused, rounds / 10) << "the mutations do not reach the reader";
}

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_HOSTILE_H_
