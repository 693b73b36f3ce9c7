// Builds HTML. Markup is a type of its own: plain text becomes markup only through text(), which
// escapes it, so that the content of paths, class names and files is never parsed as tags.
#ifndef HALFSTEP_REPORT_HTML_H_
#define HALFSTEP_REPORT_HTML_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::report {

struct Html {
  std::string markup;

  Html& operator+=(const Html& more) {
    markup += more.markup;
    return *this;
  }
};

inline Html operator+(Html left, const Html& right) { return left += right; }

// Replaces & < > " ' by character references, and control characters, which HTML does not allow, by
// U+FFFD.
std::string escape_html(std::string_view plain);

inline Html text(std::string_view plain) { return {escape_html(plain)}; }

// Names and values. Values are escaped by the functions below.
using Attributes = std::vector<std::pair<std::string_view, std::string>>;

// <tag ...>content</tag>
Html element(std::string_view tag, const Attributes& attributes, const Html& content = {});
Html element(std::string_view tag, const Html& content);
Html element(std::string_view tag, std::string_view plain);

// <tag ...> for elements without content or end tag: img, meta, wbr.
Html void_element(std::string_view tag, const Attributes& attributes);

// A <data> element: shows `shown` to people and gives the exact value to programs.
Html number(double value, std::string_view shown);

// A table that scrolls horizontally on narrow screens. Each row has one cell per column.
struct Table {
  struct Column {
    std::string title;
    bool numeric = false;  // right-aligned
  };
  std::vector<Column> columns;
  std::vector<std::vector<Html>> rows;
  bool has_total = false;  // whether the last row is the sum of the others
};
Html to_html(const Table& table);

// Returns a complete document with a style sheet and the content of <body>.
std::string html_document(std::string_view title, std::string_view style, const Html& body);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_HTML_H_
