#include "halfstep/report/bitmap_font.h"

#include <array>
#include <cstdint>

#include "halfstep/core/utf8.h"

namespace halfstep::report {
namespace {

constexpr char kFirst = ' ';
constexpr char kLast = '~';

// The font 5x7 of X11's misc-fixed fonts, which is in the public domain: 35 bits per character, row
// by row from the top, from left to right.
constexpr std::array<uint64_t, kLast - kFirst + 1> kGlyphs = {
    0x000000000, 0x108420080, 0x294a00000, 0x015f57d40, 0x01d4715c0, 0x424444840, 0x011445140,
    0x108400000, 0x110842080, 0x208421100, 0x014471140, 0x0084f9080, 0x000001888, 0x0000f0000,
    0x000003180, 0x004444000, 0x114a52880, 0x1184211c0, 0x3242223c0, 0x784c14980, 0x1194f1080,
    0x7a1c14980, 0x321c94980, 0x784422100, 0x324c94980, 0x325270980, 0x018c03180, 0x018c03110,
    0x004441040, 0x001e07800, 0x010411100, 0x114220080, 0x3256b4180, 0x3252f4a40, 0x725c94b80,
    0x325084980, 0x725294b80, 0x7a1c843c0, 0x7a1c84200, 0x3250b49c0, 0x4a5e94a40, 0x3884211c0,
    0x084214980, 0x4a98c5240, 0x4210843c0, 0x4bde94a40, 0x4b5ab5a40, 0x325294980, 0x7252e4200,
    0x325296982, 0x7252e5240, 0x324824980, 0x388421080, 0x4a5294980, 0x4a5293180, 0x4a52f7a40,
    0x4a4c64a40, 0x294a21080, 0x7844443c0, 0x3908421c0, 0x020820800, 0x3842109c0, 0x114000000,
    0x0000003c0, 0x208000000, 0x000e95940, 0x421c94b80, 0x000c84180, 0x084e949c0, 0x000cb6180,
    0x1148e2100, 0x000e9320e, 0x421c94a40, 0x100c211c0, 0x080210944, 0x4214c5240, 0x3084211c0,
    0x0014f4a40, 0x001c94a40, 0x000c94980, 0x001c94b90, 0x000e949c2, 0x001c94200, 0x000ec1b80,
    0x211c420c0, 0x0012949c0, 0x000a52880, 0x001297bc0, 0x001263240, 0x001292888, 0x001e223c0,
    0x088c21040, 0x108421080, 0x208621100, 0x2a8000000};

}  // namespace

bool glyph_pixel(char character, int x, int y) {
  const char shown = character < kFirst || character > kLast ? '?' : character;
  const int bit = kGlyphWidth * kGlyphHeight - 1 - (y * kGlyphWidth + x);
  return (kGlyphs[static_cast<size_t>(shown - kFirst)] >> bit & 1) != 0;
}

std::string as_glyphs(std::string_view text, std::size_t longest) {
  std::string shown;
  for (const char c : text) {
    if (is_utf8_continuation(c)) continue;
    if (shown.size() == longest) break;
    shown += c < kFirst || c > kLast ? '?' : c;
  }
  return shown;
}

}  // namespace halfstep::report
