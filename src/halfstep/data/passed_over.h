// What lies in the folder or archive of a data set and is not part of it. The readers of data sets
// count it, so that nothing is passed over in silence.
#ifndef HALFSTEP_DATA_PASSED_OVER_H_
#define HALFSTEP_DATA_PASSED_OVER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace halfstep::data {

struct PassedOver {
  // Files of other formats, by their extension in lower case with its dot; "" for files without
  // one.
  std::map<std::string, int64_t> files = {};
  int64_t not_images = 0;     // entries of a database whose contents are not an image
  int64_t links = 0;          // links to folders that were read already
  int64_t broken_links = 0;   // links to nothing
  int64_t special_files = 0;  // pipes, sockets and devices
  int64_t empty_folders = 0;  // which are no classes

  // Counts a file of another format by its extension.
  void add_file(std::string_view name);
  PassedOver& operator+=(const PassedOver& other);
  bool empty() const;
  // Returns the counts as one line, such as "16 files (9 .bmp, 7 .heic), 1 broken link"; "" if
  // there are none. The most frequent extensions are named.
  std::string text() const;
};

// Returns the extension of a file name in lower case, with its dot; "" if it has none.
std::string extension_of(std::string_view name);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_PASSED_OVER_H_
