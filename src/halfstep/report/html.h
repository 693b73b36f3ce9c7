// HTML as a type of its own: text becomes markup only through text(), which escapes it, so what a
// path, a class or a file says can never be read as a tag.
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

// & < > " ' as references; control characters, which HTML does not allow, as U+FFFD.
std::string escape_html(std::string_view plain);

inline Html text(std::string_view plain) { return {escape_html(plain)}; }

// Name and value; values are escaped.
using Attributes = std::vector<std::pair<std::string_view, std::string>>;

// <tag ...>content</tag>
Html element(std::string_view tag, const Attributes& attributes, const Html& content = {});
Html element(std::string_view tag, const Html& content);
Html element(std::string_view tag, std::string_view plain);

// <tag ...>, of the tags that have no content: img, meta, wbr.
Html void_element(std::string_view tag, const Attributes& attributes);

// A number to read, with the exact one for machines.
Html number(double value, std::string_view shown);

// Rows under a header, in a frame that scrolls sideways where a screen is narrow. Each row has a
// cell for each column.
struct Table {
  struct Column {
    std::string title;
    bool numeric = false;  // to the right
  };
  std::vector<Column> columns;
  std::vector<std::vector<Html>> rows;
  bool has_total = false;  // the last row sums the others
};
Html to_html(const Table& table);

// A whole document: `style` is CSS, `body` what the page shows.
std::string html_document(std::string_view title, std::string_view style, const Html& body);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_HTML_H_
