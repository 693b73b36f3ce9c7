// Checks the type and the message of an exception.
#ifndef HALFSTEP_TESTS_SUPPORT_EXPECT_THROWS_H_
#define HALFSTEP_TESTS_SUPPORT_EXPECT_THROWS_H_

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace halfstep::test {

// Expects `call` to throw an E whose message contains all of `parts`.
template <class E, class Call>
void expect_throws(std::initializer_list<std::string_view> parts, const Call& call) {
  try {
    call();
  } catch (const E& error) {
    const std::string message = error.what();
    for (const std::string_view part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << "no \"" << part << "\" in: " << message;
    }
    return;
  }
  ADD_FAILURE() << "nothing thrown; expected a message with " << *parts.begin();
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_EXPECT_THROWS_H_
