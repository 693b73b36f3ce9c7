#include "halfstep/http/frame.h"

#include <gtest/gtest.h>

#include <string>

namespace halfstep::http {
namespace {

using State = Frame::State;

const std::string kPost = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

void expect_refused(const std::string& bytes, int status) {
  const Frame frame = find_frame(bytes);
  EXPECT_EQ(frame.state, State::refused) << bytes;
  EXPECT_EQ(frame.status, status) << bytes;
  EXPECT_FALSE(frame.reason.empty());
}

TEST(Frame, EndsWithTheBodyWhateverFollows) {
  for (const std::string next : {"", "GET / HTTP/1.1\r\n"}) {
    const Frame frame = find_frame(kPost + next);
    EXPECT_EQ(frame.state, State::complete);
    EXPECT_EQ(frame.head + frame.body, kPost.size());
    EXPECT_EQ(frame.body, 5u);
  }
  EXPECT_EQ(find_frame("GET / HTTP/1.0\r\n\r\n").body, 0u);
}

TEST(Frame, IsIncompleteUntilTheLastByte) {
  for (size_t size = 0; size < kPost.size(); ++size)
    EXPECT_EQ(find_frame(kPost.substr(0, size)).state, State::incomplete) << size;
}

TEST(Frame, WhatIsNotHttpIsRefusedAtOnce) {
  expect_refused(std::string("\x16\x03\x01\x02\x00", 5), 400);  // TLS
  expect_refused("hello\r\n", 400);
  expect_refused("GET http://x/ HTTP/1.1\r\n", 400);
  expect_refused("GET / HTTP/2.0\r\n", 400);
  expect_refused("GET /a b HTTP/1.1\r\n", 400);
  expect_refused("GET / HTTP/1.1\n\n", 400);
  expect_refused("GET / HTTP/1.1\r\nno colon\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\n folded: line\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nA : b\r\n", 400);
}

TEST(Frame, BodiesMustHaveOneLengthAndNoEncoding) {
  const std::string head = "POST / HTTP/1.1\r\n";
  expect_refused(head + "\r\n", 411);
  expect_refused(head + "transfer-encoding: chunked\r\n", 411);
  expect_refused(head + "Content-Encoding: gzip\r\n", 415);
  for (const char* length : {"", "-1", "+1", "0x5", "5 5", "five"})
    expect_refused(head + "Content-Length: " + length + "\r\n", 400);
  expect_refused(head + "Content-Length: 5\r\nContent-Length: 6\r\n", 400);
  EXPECT_EQ(find_frame(head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n").body, 5u);
}

TEST(Frame, SizesAreLimited) {
  const std::string head = "POST / HTTP/1.1\r\n";
  const std::string most = std::to_string(kMostBody), more = std::to_string(kMostBody + 1);
  EXPECT_EQ(find_frame(head + "Content-Length: " + most + "\r\n\r\n").body, kMostBody);
  expect_refused(head + "Content-Length: " + more + "\r\n", 413);
  expect_refused(head + "Content-Length: 99999999999999999999999\r\n", 413);
  const std::string large = head + "A: " + std::string(kMostHead, 'a');
  expect_refused(large.substr(0, kMostHead), 431);
  EXPECT_EQ(find_frame(large.substr(0, kMostHead - 1)).state, State::incomplete);
}

}  // namespace
}  // namespace halfstep::http
