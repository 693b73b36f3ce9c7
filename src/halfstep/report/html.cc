#include "halfstep/report/html.h"

#include <nlohmann/json.hpp>

namespace halfstep::report {
namespace {

std::string open_tag(std::string_view tag, const Attributes& attributes) {
  std::string markup = "<" + std::string(tag);
  for (const auto& [name, value] : attributes)
    markup += " " + std::string(name) + "=\"" + escape_html(value) + "\"";
  return markup + ">";
}

}  // namespace

std::string escape_html(std::string_view plain) {
  std::string escaped;
  escaped.reserve(plain.size());
  for (const char c : plain) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
        escaped += control ? std::string("\xef\xbf\xbd") : std::string(1, c);
      }
    }
  }
  return escaped;
}

Html element(std::string_view tag, const Attributes& attributes, const Html& content) {
  return {open_tag(tag, attributes) + content.markup + "</" + std::string(tag) + ">"};
}

Html element(std::string_view tag, const Html& content) { return element(tag, {}, content); }

Html element(std::string_view tag, std::string_view plain) { return element(tag, text(plain)); }

Html void_element(std::string_view tag, const Attributes& attributes) {
  return {open_tag(tag, attributes)};
}

Html number(double value, std::string_view shown) {
  return element("data", {{"value", nlohmann::json(value).dump()}}, text(shown));
}

Html to_html(const Table& table) {
  const auto cell = [&](std::string_view tag, size_t column, const Html& content,
                        Attributes attributes = {}) {
    if (table.columns[column].numeric) attributes.emplace_back("class", "number");
    return element(tag, attributes, content);
  };
  Html header;
  for (size_t c = 0; c < table.columns.size(); ++c)
    header += cell("th", c, text(table.columns[c].title), {{"scope", "col"}});
  Html body;
  for (size_t r = 0; r < table.rows.size(); ++r) {
    Html row;
    for (size_t c = 0; c < table.columns.size(); ++c) row += cell("td", c, table.rows[r][c]);
    const bool total = table.has_total && r + 1 == table.rows.size();
    body += element("tr", total ? Attributes{{"class", "total"}} : Attributes{}, row) + Html{"\n"};
  }
  return element("div", {{"class", "scroll"}},
                 element("table", element("thead", element("tr", header)) +
                                      element("tbody", Html{"\n"} + body)));
}

std::string html_document(std::string_view title, std::string_view style, const Html& body) {
  const Html head = void_element("meta", {{"charset", "utf-8"}}) +
                    void_element("meta", {{"name", "viewport"},
                                          {"content", "width=device-width, initial-scale=1"}}) +
                    void_element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}) +
                    element("title", title) + element("style", Html{std::string(style)});
  return "<!DOCTYPE html>\n" +
         element("html", {{"lang", "en"}},
                 Html{"\n"} + element("head", head) + Html{"\n"} + element("body", body))
             .markup +
         "\n";
}

}  // namespace halfstep::report
