// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TensorBoard's event files.
#ifndef GORILA_BASE_CRC32C_H_
#define GORILA_BASE_CRC32C_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace gorila {

// A byte at a time: for records of kilobytes. No package has it on every supported distribution.
inline std::uint32_t Crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = [] {
    constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
      std::uint32_t remainder = byte;
      for (int bit = 0; bit < 8; ++bit) {
        remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kReversedPolynomial : 0);
      }
      table[byte] = remainder;
    }
    return table;
  }();
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~crc;
}

}  // namespace gorila

#endif  // GORILA_BASE_CRC32C_H_
