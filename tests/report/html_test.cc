#include "halfstep/report/html.h"

#include <gtest/gtest.h>

namespace halfstep::report {
namespace {

TEST(EscapeHtml, ReplacesAllMarkupCharacters) {
  EXPECT_EQ(escape_html("<a href=\"x\">Tom & 'Jerry'</a>"),
            "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_html("&amp;"), "&amp;amp;") << "text, not markup";
  EXPECT_EQ(escape_html("32 \u2192 16\n\tsteps"), "32 \u2192 16\n\tsteps");
  EXPECT_EQ(escape_html(std::string("a\0b\x1b[0m\x7f", 8)), "a\ufffdb\ufffd[0m\ufffd");
}

TEST(Html, ElementsEscapeTextAndAttributes) {
  EXPECT_EQ(element("p", "1 < 2").markup, "<p>1 &lt; 2</p>");
  EXPECT_EQ(element("a", {{"title", "\"<&"}}, element("b", "x")).markup,
            "<a title=\"&quot;&lt;&amp;\"><b>x</b></a>");
  EXPECT_EQ(void_element("img", {{"src", "a.png"}}).markup, "<img src=\"a.png\">");
  EXPECT_EQ((text("a<") + element("i", "b")).markup, "a&lt;<i>b</i>");
}

TEST(Html, ANumberIsShownRoundedAndKeptExactly) {
  EXPECT_EQ(number(0.1, "0.1").markup, "<data value=\"0.1\">0.1</data>");
  EXPECT_EQ(number(12.34567890123, "12.35").markup, "<data value=\"12.34567890123\">12.35</data>");
}

TEST(Html, ATableHasOneCellPerColumnAndMarksTheTotal) {
  const Table table{.columns = {{"stage"}, {"time", true}},
                    .rows = {{text("a"), text("1")}, {text("all"), text("2")}},
                    .has_total = true};
  EXPECT_EQ(to_html(table).markup,
            "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">stage</th>"
            "<th scope=\"col\" class=\"number\">time</th></tr></thead><tbody>\n"
            "<tr><td>a</td><td class=\"number\">1</td></tr>\n"
            "<tr class=\"total\"><td>all</td><td class=\"number\">2</td></tr>\n"
            "</tbody></table></div>");
}

TEST(Html, ADocumentDeclaresItsTypeLanguageAndTitle) {
  const std::string page = html_document("a < b", "p { color: red; }", element("p", "x"));
  EXPECT_EQ(page.rfind("<!DOCTYPE html>\n<html lang=\"en\">", 0), 0u);
  for (const char* part :
       {"<meta charset=\"utf-8\">", "<title>a &lt; b</title>", "<style>p { color: red; }</style>",
        "<body><p>x</p></body></html>", "content=\"width=device-width, initial-scale=1\""}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace halfstep::report
