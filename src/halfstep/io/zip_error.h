// An error of libzip, as text, for errors that do not belong to an open archive.
#ifndef HALFSTEP_IO_ZIP_ERROR_H_
#define HALFSTEP_IO_ZIP_ERROR_H_

#include <zip.h>

#include <string>

namespace halfstep::io {

class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  explicit ZipError(int code) { zip_error_init_with_code(&error_, code); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;

  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_ZIP_ERROR_H_
