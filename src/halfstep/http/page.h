// The page in the browser: page.html, which CMake embeds.
#ifndef HALFSTEP_HTTP_PAGE_H_
#define HALFSTEP_HTTP_PAGE_H_

#include <string_view>

namespace halfstep::http {

extern const std::string_view kPage;

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_PAGE_H_
