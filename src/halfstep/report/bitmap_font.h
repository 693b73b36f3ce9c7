// A font of 5 x 7 pixels for captions in images.
#ifndef HALFSTEP_REPORT_BITMAP_FONT_H_
#define HALFSTEP_REPORT_BITMAP_FONT_H_

#include <string>
#include <string_view>

namespace halfstep::report {

inline constexpr int kGlyphWidth = 5;  // the space between glyphs included
inline constexpr int kGlyphHeight = 7;

// Returns whether the pixel in column `x` and row `y` of a character is set. Characters outside
// printable ASCII look like '?'.
bool glyph_pixel(char character, int x, int y);

// Returns `text` as the font can show it: every character of UTF-8 beyond ASCII as one '?', and at
// most `longest` characters.
std::string as_glyphs(std::string_view text, std::size_t longest);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_BITMAP_FONT_H_
