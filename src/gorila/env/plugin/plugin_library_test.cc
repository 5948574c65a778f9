#include "gorila/env/plugin/plugin_library.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "gorila/base/default_float_environment.h"
#include "gorila/base/denormals.h"
#include "gorila/env/plugin/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

std::string MessageOf(const Status& status) { return std::string(status.message()); }

class LoadTest : public testing::Test {
 protected:
  LoadTest() { fs::create_directories(folder_); }
  ~LoadTest() override { fs::remove_all(folder_); }

  std::string Write(std::string_view name, std::string_view bytes) const {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // A header of a library, with changes.
  template <typename Change>
  std::string WriteHeader(const Change& change) const {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
#if defined(__aarch64__)
    header.e_machine = EM_AARCH64;
#else
    header.e_machine = EM_X86_64;
#endif
    change(header);
    return Write("header.so", {reinterpret_cast<const char*>(&header), sizeof header});
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / fmt::format("plugin_library_test-{}", ::getpid());
};

// One line, which begins with the path.
void ExpectRefused(const std::string& path, const std::string& words,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  const Status status = PluginLibrary::Load(path).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_TRUE(MessageOf(status).starts_with(fmt::format("plug-in '{}'", path))) << status;
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr(words), testing::Not(HasSubstr("\n"))));
}

TEST_F(LoadTest, FilesThatAreNotLibrariesAreNamed) {
  ExpectRefused(folder_ / "missing.so", "does not exist", absl::StatusCode::kNotFound);
  ExpectRefused(folder_, "is not a file");
  ExpectRefused(Write("empty.so", ""), "is not a shared library");
  ExpectRefused(Write("script.so", "#!/usr/bin/env python3\nprint('a game')\n"),
                "is not a shared library");
}

TEST_F(LoadTest, LibrariesForOtherProcessorsAreNamed) {
  ExpectRefused(WriteHeader([](Elf64_Ehdr& header) { header.e_machine = EM_RISCV; }),
                "is for RISC-V; expected a library for ");
  ExpectRefused(WriteHeader([](Elf64_Ehdr& header) { header.e_machine = 4711; }),
                "is for another processor (ELF machine 4711)");
  ExpectRefused(WriteHeader([](Elf64_Ehdr& header) { header.e_ident[EI_CLASS] = ELFCLASS32; }),
                "with 32-bit pointers");
  ExpectRefused(WriteHeader([](Elf64_Ehdr& header) { header.e_ident[EI_DATA] = ELFDATA2MSB; }),
                "big-endian");
}

TEST_F(LoadTest, ObjectFilesAndDamagedLibrariesAreNamed) {
  ExpectRefused(WriteHeader([](Elf64_Ehdr& header) { header.e_type = ET_REL; }),
                "is an object file; expected a shared library; link it with -shared");
  ExpectRefused(WriteHeader([](Elf64_Ehdr&) {}), "cannot be loaded: ");
}

TEST_F(LoadTest, LibrariesThatAreNotPluginsAreNamed) {
  ExpectRefused(TestPlugin("test_plugin_no_symbol"), "has no function gorila_env_get_api");
  ExpectRefused(TestPlugin("test_plugin_abi"), "has ABI 99; expected 1");
  ExpectRefused(TestPlugin("test_plugin_size"), "has a table of struct_size 40; expected");
}

TEST_F(LoadTest, PathBecomesAbsolute) {
  const fs::path path = TestPlugin("test_plugin");
  const auto library = PluginLibrary::Load(fs::relative(path).string());
  ASSERT_TRUE(library.ok()) << library.status();
  EXPECT_EQ((*library)->path(), path.string());
  EXPECT_EQ((*library)->label(), fmt::format("plug-in '{}' (test 0.1)", path.string()));
}

TEST_F(LoadTest, LibraryThatFlushesDenormalsDoesNotChangeThisThread) {
  constexpr std::uint64_t kRaised = 0x3f;  // exceptions that have happened, on x86
  const std::uint64_t before = FloatControl() & ~kRaised;
  ASSERT_TRUE(PluginLibrary::Load(TestPlugin("test_plugin_flushes")).ok());
  EXPECT_EQ(FloatControl() & ~kRaised, before);
}

// A table in the program; tests change it.
struct Fake {
  static inline int step_code = 0;
  static inline bool throws = false;
  static inline double reward = 0;
};

int FakeSpec(const char*, gorila_env_spec* spec, gorila_env_error*) {
  spec->num_dimensions = 1;
  spec->shape[0] = 4;
  spec->num_actions = 2;
  return 0;
}
int FakeCreate(const char*, gorila_env** env, gorila_env_error*) {
  static char some;
  *env = reinterpret_cast<gorila_env*>(&some);
  return 0;
}
void FakeDestroy(gorila_env*) {}
int FakeReset(gorila_env*, std::uint64_t, void*, gorila_env_error*) { return 0; }
int FakeStep(gorila_env*, std::int32_t, void*, gorila_env_result* result, gorila_env_error* error) {
  if (Fake::throws) throw std::runtime_error("out of range");
  // As long as it can be, and not closed.
  if (Fake::step_code != 0) std::memset(error->text, 'x', sizeof error->text);
  result->reward = Fake::reward;
  return Fake::step_code;
}

gorila_env_api FakeTable() {
  gorila_env_api api{};
  api.struct_size = sizeof api;
  api.abi = GORILA_ENV_ABI;
  api.name = "fake";
  api.version = "1";
  api.spec = FakeSpec;
  api.create = FakeCreate;
  api.destroy = FakeDestroy;
  api.reset = FakeReset;
  api.step = FakeStep;
  return api;
}

std::string Refusal(const gorila_env_api* table) {
  return MessageOf(PluginLibrary::FromTable(table, "x.so").status());
}

TEST(TableTest, NullIsAnAbiThatIsNotServed) {
  EXPECT_THAT(Refusal(nullptr), HasSubstr("'x.so' does not serve ABI 1"));
}

TEST(TableTest, RequiredFunctionsAreNamed) {
  gorila_env_api api = FakeTable();
  EXPECT_EQ(Refusal(&api), "");
  api.reset = nullptr;
  EXPECT_THAT(Refusal(&api), HasSubstr("NULL for 'reset'"));
  api = FakeTable();
  api.name = nullptr;
  EXPECT_THAT(Refusal(&api), HasSubstr("NULL for 'name'"));
}

TEST(TableTest, StateFunctionsGoTogether) {
  gorila_env_api api = FakeTable();
  api.state_size = [](const gorila_env*) -> std::uint64_t { return 0; };
  EXPECT_THAT(Refusal(&api), HasSubstr("expected all or none"));
}

TEST(TableTest, WhatIsBeyondTheTablesSizeIsNotThere) {
  gorila_env_api api = FakeTable();
  api.struct_size = offsetof(gorila_env_api, render);
  api.render = [](const gorila_env*, std::uint8_t*, std::int32_t*, std::int32_t*,
                  gorila_env_error*) { return 0; };
  const auto library = PluginLibrary::FromTable(&api, "x.so");
  ASSERT_TRUE(library.ok());
  EXPECT_EQ((*library)->api().render, nullptr);
  api.struct_size = sizeof api;
  EXPECT_NE((*PluginLibrary::FromTable(&api, "x.so"))->api().render, nullptr);
}

TEST(TableTest, TableThatIsLargerThanOursIsTaken) {
  struct {
    gorila_env_api api;
    void* of_the_future;
  } table{FakeTable(), nullptr};
  table.api.struct_size = sizeof table;
  EXPECT_EQ(Refusal(&table.api), "");
}

class FakeInstanceTest : public testing::Test {
 protected:
  ~FakeInstanceTest() override {
    Fake::step_code = 0;
    Fake::throws = false;
    Fake::reward = 0;
  }

  std::string StepMessage() {
    gorila_env_result result;
    alignas(kPluginAlignment) std::byte observation[4];
    return MessageOf(instance_->Step(1, observation, result));
  }

  const gorila_env_api api_ = FakeTable();
  StatusOr<PluginInstance> instance_ =
      PluginInstance::Make(*PluginLibrary::FromTable(&api_, "x.so"), "{}");
};

TEST_F(FakeInstanceTest, TextThatIsNotClosedEndsAtItsSize) {
  Fake::step_code = -4;
  EXPECT_EQ(StepMessage(), "plug-in 'x.so' (fake 1): step failed with code -4: " +
                               std::string(255, 'x') + " (action 1)");
}

TEST_F(FakeInstanceTest, ExceptionsBecomeAStatus) {
  Fake::throws = true;
  EXPECT_THAT(StepMessage(), HasSubstr("step threw an exception: out of range"));
}

TEST_F(FakeInstanceTest, RewardsAreFiniteFloats) {
  for (const double reward : {std::nan(""), -HUGE_VAL, 1e39}) {
    Fake::reward = reward;
    EXPECT_THAT(StepMessage(), HasSubstr(fmt::format("step gave the reward {}", reward)));
  }
  Fake::reward = 1e38;
  EXPECT_EQ(StepMessage(), "");
}

StatusOr<PluginSpec> SpecOf(const std::string& options) {
  return (*PluginLibrary::Load(TestPlugin("test_plugin")))->Spec(options);
}

TEST(SpecTest, TakesWhatThePluginSays) {
  const auto spec = SpecOf(R"({"dimensions":3,"side":5,"element":0,"layout":2,"actions":7})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->observation,
            (RawObservation{.shape = {5, 1, 1}, .element = ElementType::kUint8}));
  EXPECT_EQ(spec->layout, PictureLayout::kChw);
  EXPECT_EQ(spec->num_actions, 7);
}

TEST(SpecTest, ImpossibleSpecsAreRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"dimensions":4})", "num_dimensions = 4; expected 1 to 3"},
      {R"({"dimensions":0})", "num_dimensions = 0; expected 1 to 3"},
      {R"({"element":2})", "element = 2; expected 0 to 1"},
      {R"({"layout":-1})", "layout = -1; expected 0 to 2"},
      {R"({"actions":0})", "num_actions = 0; expected 1 to 65536"},
      {R"({"actions":65537})", "num_actions = 65537; expected 1 to 65536"},
      {R"({"refuse_spec":1})",
       R"(spec failed with code 3: no such game (environment.kwargs is {"refuse_spec":1}))"}};
  for (const auto& [options, words] : cases) {
    const Status status = SpecOf(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(MessageOf(status), AllOf(HasSubstr(TestPlugin("test_plugin")), HasSubstr(words)));
  }
}

}  // namespace
}  // namespace gorila
