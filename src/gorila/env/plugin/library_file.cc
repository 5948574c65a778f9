#include "gorila/env/plugin/library_file.h"

#include <elf.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace gorila {
namespace {

namespace fs = std::filesystem;

// The beginning of the file, the same for 32 and 64 bits.
struct Header {
  std::array<unsigned char, EI_NIDENT> identity;
  std::uint16_t type;
  std::uint16_t machine;
};
static_assert(sizeof(Header) == 20);

constexpr std::uint16_t kThisMachine =
#if defined(__x86_64__)
    EM_X86_64;
#elif defined(__aarch64__)
    EM_AARCH64;
#else
    EM_NONE;  // the loader will say
#endif

std::string MachineName(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_386:
      return "32-bit x86";
    case EM_AARCH64:
      return "aarch64";
    case EM_ARM:
      return "32-bit ARM";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "POWER";
    default:
      return fmt::format("another processor (ELF machine {})", machine);
  }
}

Status CheckHeader(const std::string& path, const Header& header) {
  const bool little = header.identity[EI_DATA] == ELFDATA2LSB;
  const bool wide = header.identity[EI_CLASS] == ELFCLASS64;
  // The fields of a big-endian file would have to be turned round to name its processor.
  if (!little) {
    return InvalidArgument(
        "plug-in '{}' is for a big-endian processor; expected a library for {}; build it on this "
        "machine",
        path, MachineName(kThisMachine));
  }
  if (kThisMachine != EM_NONE && (header.machine != kThisMachine || !wide)) {
    return InvalidArgument(
        "plug-in '{}' is for {}{}; expected a library for {}; build it on this "
        "machine",
        path, MachineName(header.machine),
        header.machine == kThisMachine ? " with 32-bit pointers" : "", MachineName(kThisMachine));
  }
  if (header.type != ET_DYN) {
    return InvalidArgument(
        "plug-in '{}' is {}; expected a shared library; link it with -shared", path,
        header.type == ET_REL ? "an object file" : "an ELF file, but not a library");
  }
  return OkStatus();
}

}  // namespace

Status CheckLibraryFile(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return NotFound("plug-in '{}' does not exist; expected a shared library", path);
  }
  if (!fs::is_regular_file(status)) {
    return InvalidArgument("plug-in '{}' is not a file{}; expected a shared library", path,
                           error ? fmt::format(" ({})", error.message()) : "");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return InvalidArgument("plug-in '{}' cannot be read: {}", path, std::strerror(errno));
  }
  Header header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!file || std::memcmp(header.identity.data(), ELFMAG, SELFMAG) != 0) {
    return InvalidArgument(
        "plug-in '{}' is not a shared library: it does not begin like an ELF file", path);
  }
  return CheckHeader(path, header);
}

}  // namespace gorila
