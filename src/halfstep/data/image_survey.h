// Looks at every image of a data set once, in several threads, when the data set is opened: so that
// a damaged image or one of another size is found before a run and not within it.
#ifndef HALFSTEP_DATA_IMAGE_SURVEY_H_
#define HALFSTEP_DATA_IMAGE_SURVEY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/image_files.h"

namespace halfstep::data {

struct ImageSurvey {
  struct OfSize {
    int64_t count = 0;
    std::vector<size_t> first = {};  // numbers in the source, at most BrokenImages::kNamed
  };

  std::vector<size_t> whole;  // numbers of the images in the source, in order
  int64_t not_images = 0;     // entries that are none
  BrokenImages broken;
  std::string first_reason;  // why the first of them is broken
  // The whole images by width and height, in pixels.
  std::map<std::pair<int, int>, OfSize> sizes;
  int channels = 0;      // 3 if one image has colours
  std::string contents;  // a hash of the names, sizes, labels and contents of the whole images
};

// `labels` has one label per file of the source, or is empty. Reads the first and last 4 KiB of
// each file, and decodes those that do not tell their size or their end. With `decode`, decodes all
// of them. Throws IoError if a file cannot be read.
//
// The hash covers an archive's checksum of a file if there is one. Otherwise it covers the first
// and last 4 KiB of a PNG, JPEG or WebP, and the whole file for other formats and files of at most
// 8 KiB. The end of a PNG contains a checksum of all pixels.
ImageSurvey survey(const ImageSource& source, const std::vector<int32_t>& labels, bool decode);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_SURVEY_H_
