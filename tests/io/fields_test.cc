#include "halfstep/io/fields.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/io/hostile.h"

namespace halfstep {
namespace {

enum class Colour { red, green, blue };

struct Options {
  Colour colour = Colour::red;
  std::optional<Colour> second;
  std::vector<Colour> palette;
  int64_t count = 1;

  template <class Self, class Visit>
  static void for_each_field(Self& self, const Visit& visit) {
    visit("colour", self.colour, "colour of the frame");
    visit("second", self.second, "colour of the background");
    visit("palette", self.palette, "other colours");
    visit("count", self.count, "number of frames");
  }
};

}  // namespace

template <>
struct EnumNames<Colour> {
  static constexpr auto kNames = std::to_array<std::pair<Colour, std::string_view>>(
      {{Colour::red, "red"}, {Colour::green, "green"}, {Colour::blue, "blue"}});
};

namespace io {
namespace {

Options parsed(const nlohmann::json& json) {
  Options options;
  fields_from_json(json, options, "x.json");
  return options;
}

TEST(Fields, RoundTrip) {
  const Options options{
      .colour = Colour::blue, .second = Colour::green, .palette = {Colour::red}, .count = 3};
  const nlohmann::json json = fields_to_json(options);
  EXPECT_EQ(json,
            (nlohmann::json{
                {"colour", "blue"}, {"second", "green"}, {"palette", {"red"}}, {"count", 3}}));
  EXPECT_EQ(fields_to_json(parsed(json)), json);
}

TEST(Fields, MissingKeysKeepTheDefaults) { EXPECT_EQ(parsed({{"count", 2}}).colour, Colour::red); }

TEST(Fields, ErrorsNameFileAndKeyOnce) {
  const auto message_of = [](const nlohmann::json& json) {
    try {
      parsed(json);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message_of({{"colour", "pink"}}),
            "[x.json] colour: expected red, green or blue, received \"pink\"");
  EXPECT_EQ(message_of({{"second", 1}}),
            "[x.json] second: expected red, green or blue, or null, received 1");
  EXPECT_EQ(message_of({{"palette", {"red", "pink"}}}),
            "[x.json] palette: expected an array, each element red, green or blue, received "
            "[\"red\",\"pink\"]");
  EXPECT_EQ(message_of({{"count", 1.5}}), "[x.json] count: expected an integer, received 1.5");
  EXPECT_EQ(message_of({{"size", 1}}),
            "[x.json] unknown key \"size\": expected one of colour, second, palette, count");
}

}  // namespace
}  // namespace io
}  // namespace halfstep
