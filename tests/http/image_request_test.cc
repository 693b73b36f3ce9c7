#include "halfstep/http/image_request.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "halfstep/io/base64.h"
#include "halfstep/io/image.h"
#include "tests/http/fake_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep::http {
namespace {

using halfstep::test::expect_throws;

class ImageRequests : public testing::Test {
 protected:
  ImageRequests() {
    models_[1].class_names = {"cat", "dog"};
    models_[1].num_classes = 2;
    models_[1].has_null_class = false;
    models_[1].guidance = {};
    models_[2].num_classes = 0;
  }

  ImageRequest parse(const std::string& body) const {
    return parse_image_request(body, models_, [] { return uint64_t{77}; });
  }

  template <class E = FormatError>
  void expect_refused(const std::string& body,
                      std::initializer_list<std::string_view> parts) const {
    expect_throws<E>(parts, [&] { (void)parse(body); });
  }

  test::Fake fake_;
  std::vector<ServedModel> models_ = {test::fake_model("a", fake_), test::fake_model("b", fake_),
                                      test::fake_model("c", fake_)};
};

TEST_F(ImageRequests, HaveDefaults) {
  const ImageRequest request = parse(R"({"model": "a"})");
  EXPECT_EQ(request.model, 0u);
  EXPECT_EQ(request.format, ImageFormat::png);
  EXPECT_EQ(request.rows, std::vector<Row>{{.seed = 77}});
}

TEST_F(ImageRequests, MayHaveEveryField) {
  const ImageRequest request = parse(
      R"({"model": "a", "prompt": "", "n": 2, "size": "2x2", "response_format": "b64_json",
          "user": "me", "class": 3, "seed": 18446744073709551614, "guidance": 2.5,
          "format": "webp"})");
  EXPECT_EQ(request.format, ImageFormat::webp);
  EXPECT_EQ(request.rows,
            (std::vector<Row>{{.seed = 18446744073709551614u, .label = 3, .guidance = 2.5},
                              {.seed = 18446744073709551615u, .label = 3, .guidance = 2.5}}));
}

// Returns an image file of 2 x 2 pixels in Base64.
std::string file_of(int channels, uint8_t level, int width = 2) {
  io::Image image{.width = width, .height = 2, .channels = channels};
  image.pixels.assign(static_cast<size_t>(width * 2 * channels), level);
  const std::vector<std::byte> bytes = io::encode_png(image);
  return io::base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

TEST_F(ImageRequests, HaveTheImageThatAModelRestores) {
  models_[0].input = InputLimits{
      .condition = "inpainting", .width = 2, .height = 2, .channels = 1, .takes_mask = true};
  const std::string image = R"({"model": "a", "n": 2, "image": ")" + file_of(3, 7) + "\"";
  const ImageRequest request = parse(image + R"(, "mask": ")" + file_of(1, 255) + "\"}");
  ASSERT_EQ(request.rows.size(), 2u);
  EXPECT_EQ(request.rows[1].known, request.rows[0].known);
  EXPECT_EQ(request.rows[0].known->image.pixels, std::vector<uint8_t>(4, 7));
  EXPECT_EQ(request.rows[0].known->mask.value().pixels, std::vector<uint8_t>(4, 255));
  expect_refused(image + "}", {"mask: expected one for inpainting", "none"});
  expect_refused(R"({"model": "a"})", {"image", "a is for inpainting", "none"});
  expect_refused(R"({"model": "b", "image": ")" + file_of(1, 7) + "\"}",
                 {"image", "b restores no images"});
  expect_refused(R"({"model": "a", "image": "?", "mask": "?"})", {"image", "Base64"});
  expect_refused(R"({"model": "a", "image": "Zm9v", "mask": "Zm9v"})", {"image"});
  expect_refused(R"({"model": "a", "mask": "Zm9v", "image": ")" + file_of(1, 7, 3) + "\"}",
                 {"image: expected 2x2 with 1 channel", "received 3x2"});
  models_[0].input =
      InputLimits{.condition = "super-resolution:2", .width = 2, .height = 2, .channels = 3};
  expect_refused(R"({"model": "a", "image": ")" + file_of(1, 7) + "\"}",
                 {"image: expected 2x2 with 3 channels", "received 2x2 with 1 channel"});
}

TEST_F(ImageRequests, TakeSeedsOneByOne) {
  const ImageRequest request = parse(R"({"model": "a", "seeds": [9, 2, 9], "n": 3})");
  EXPECT_EQ(request.rows, (std::vector<Row>{{.seed = 9}, {.seed = 2}, {.seed = 9}}));
}

TEST_F(ImageRequests, NameClasses) {
  EXPECT_EQ(parse(R"({"model": "b", "class": "dog"})").rows[0].label, 1);
  EXPECT_EQ(parse(R"({"model": "b", "prompt": "cat"})").rows[0].label, 0);
  EXPECT_EQ(parse(R"({"model": "a", "class": "none"})").rows[0].label, kNoClass);
  expect_refused(R"({"model": "b", "class": "dgo"})", {"class: expected cat, dog", "mean dog?"});
  expect_refused(R"({"model": "b", "class": "none"})", {"expected cat, dog"});
  expect_refused(R"({"model": "b", "class": 2})", {"class: expected 0 to 1, received 2"});
  expect_refused(R"({"model": "b", "class": -1})", {"received -1"});
  expect_refused(R"({"model": "b", "class": 18446744073709551615})", {"class: expected 0 to 1"});
  expect_refused(R"({"model": "b", "class": 1.0})", {"class: expected the number or the name"});
  expect_refused(R"({"model": "b", "prompt": "a photo"})", {"prompt: expected cat, dog"});
  expect_refused(R"({"model": "b", "prompt": "cat", "class": 0})", {"not both"});
  expect_refused(R"({"model": "c", "class": 0})", {"c has no classes"});
}

TEST_F(ImageRequests, NameALoadedModel) {
  expect_refused<UnknownModelError>(R"({"model": "d"})", {"model: expected a, b, c", "\"d\""});
  expect_refused<UnknownModelError>(R"({"model": "../etc/passwd"})", {"model: expected a, b, c"});
  expect_refused("{}", {"model: expected one of a, b, c, received none"});
  models_.resize(1);
  EXPECT_EQ(parse("{}").model, 0u);
}

TEST_F(ImageRequests, AreLimited) {
  expect_refused(R"({"model": "a", "n": 0})", {"n: expected 1 to 64, received 0"});
  expect_refused(R"({"model": "a", "n": 65})", {"n: expected 1 to 64, received 65"});
  expect_refused(R"({"model": "a", "n": 9223372036854775808})", {"n: expected"});
  expect_refused(R"({"model": "a", "seeds": []})", {"seeds: expected 1 to 64, received 0"});
  expect_refused(R"({"model": "a", "seeds": [1], "n": 2})", {"n: expected 1"});
  expect_refused(R"({"model": "a", "seeds": [1], "seed": 2})", {"not both"});
  expect_refused(R"({"model": "a", "seed": -1})", {"seed: expected an unsigned integer"});
  expect_refused(R"({"model": "a", "seed": 18446744073709551615, "n": 2})", {"seed: expected"});
  expect_refused(R"({"model": "a", "size": "4x4"})", {"size: expected 2x2 or auto", "4x4"});
  expect_refused(R"({"model": "a", "response_format": "url"})", {"expected b64_json"});
  expect_refused(R"({"model": "a", "format": "gif"})", {"format: expected png or webp"});
  expect_refused(R"({"model": "a", "guidance": 11})", {"guidance: expected 0.0 to 10.0"});
  expect_refused(R"({"model": "b", "guidance": 2})", {"guidance: expected 1.0", "limited"});
}

TEST_F(ImageRequests, MustBeJsonOfKnownFields) {
  expect_refused("", {"[request]"});
  expect_refused("[]", {"expected a JSON object"});
  expect_refused(R"({"model": "a", "model": "b"})", {"model"});
  expect_refused(R"({"model": "a", "sed": 1})", {"unknown key \"sed\"", "did you mean seed?"});
  expect_refused("{\"model\": \"\xff\"}", {"[request]"});
}

}  // namespace
}  // namespace halfstep::http
