// The colours of charts, each with one for light pages and one for dark ones.
#ifndef GORILA_METRICS_CHART_PALETTE_H_
#define GORILA_METRICS_CHART_PALETTE_H_

#include <array>
#include <cstdint>
#include <string>

namespace gorila::drawing {

// PNG pictures have the light colour. An SVG picture names the ink as a class and a CSS variable
// (`--chart-NAME`), which a page or a reader's dark mode redefines.
struct Ink {
  const char* name;
  std::uint32_t light;  // 0xRRGGBB
  std::uint32_t dark;
};

// The same in light and dark, without a name.
constexpr Ink FixedInk(std::uint32_t rgb) { return {nullptr, rgb, rgb}; }

inline constexpr Ink kGroundInk = {"ground", 0xffffff, 0x1d212b};
inline constexpr Ink kTextInk = {"text", 0x262626, 0xe8eaee};
inline constexpr Ink kQuietInk = {"quiet", 0x595959, 0xa9b0bd};
inline constexpr Ink kGridInk = {"grid", 0xe6e6e6, 0x323845};
inline constexpr Ink kFaintInk = {"faint", 0x8c96a0, 0x7d8794};

// Okabe & Ito's palette, told apart by colour-blind people too; yellow, faint on white, is left
// out. On dark grounds the same hues are lighter and as far apart.
inline constexpr std::array<Ink, 7> kSeriesInks = {{{"1", 0x0072b2, 0x3d8fd9},
                                                    {"2", 0xd55e00, 0xe9682a},
                                                    {"3", 0x009e73, 0x17b08a},
                                                    {"4", 0xcc79a7, 0xe08fbf},
                                                    {"5", 0xe69f00, 0xf2c037},
                                                    {"6", 0x56b4e9, 0x8ccfff},
                                                    {"7", 0x000000, 0xffffff}}};

// The CSS that gives charts in a page, or an SVG picture that has it inside, their colours.
std::string ChartStyle();

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_CHART_PALETTE_H_
