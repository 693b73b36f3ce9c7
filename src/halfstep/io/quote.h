// Quotes text from files in messages: printable, short and on one line.
#ifndef HALFSTEP_IO_QUOTE_H_
#define HALFSTEP_IO_QUOTE_H_

#include <string>
#include <string_view>

namespace halfstep::io {

// Returns `text` in double quotes, with bytes outside printable ASCII as \xNN. Text of more than 60
// bytes is cut and ends in "...".
std::string quote(std::string_view text);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_QUOTE_H_
