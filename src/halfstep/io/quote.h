// Text from files in messages: one line, printable, short.
#ifndef HALFSTEP_IO_QUOTE_H_
#define HALFSTEP_IO_QUOTE_H_

#include <string>
#include <string_view>

namespace halfstep::io {

// `text` in double quotes; bytes outside printable ASCII as \xNN, cut to 60 bytes with "...".
std::string quote(std::string_view text);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_QUOTE_H_
