#include "gorila/env/external/observation_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace gorila {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint8_t> Convert(ObservationAdapter& adapter,
                                  const std::vector<std::uint8_t>& raw) {
  std::vector<std::uint8_t> out(adapter.spec().frame_bytes());
  adapter.Convert(std::as_bytes(std::span(raw)), std::as_writable_bytes(std::span(out)));
  return out;
}

std::string Refused(const RawObservation& raw, const ExternalOptions& options = {}) {
  const Status status = ObservationAdapter::Make(raw, options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(ObservationAdapterTest, AVectorIsItsChannels) {
  auto adapter =
      ObservationAdapter::Make({.shape = {4}, .element = ElementType::kFloat32}, {}).value();
  EXPECT_EQ(adapter.spec(), (ObservationSpec{.channels = 4, .element = ElementType::kFloat32}));
  const std::vector<float> raw{1, -2, 3.5, 1e9};
  std::vector<float> out(4);
  adapter.Convert(std::as_bytes(std::span(raw)), std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(out, raw);
}

TEST(ObservationAdapterTest, ChannelsComeFirst) {
  auto adapter = ObservationAdapter::Make({.shape = {5, 6, 2}}, {}).value();
  EXPECT_EQ(adapter.spec(), (ObservationSpec{.channels = 2, .height = 5, .width = 6}));
  std::vector<std::uint8_t> raw(60);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(i % 2);
  const auto out = Convert(adapter, raw);
  EXPECT_THAT(std::vector(out.begin(), out.begin() + 30), Each(0));
  EXPECT_THAT(std::vector(out.begin() + 30, out.end()), Each(1));
}

TEST(ObservationAdapterTest, ChannelsThatAreFirstStayThere) {
  auto adapter = ObservationAdapter::Make({.shape = {2, 5, 6}}, {}).value();
  EXPECT_EQ(adapter.spec(), (ObservationSpec{.channels = 2, .height = 5, .width = 6}));
  EXPECT_EQ(adapter.spec().scale, 1);
}

TEST(ObservationAdapterTest, ALargeScreenBecomesWhatDqnSees) {
  auto adapter = ObservationAdapter::Make({.shape = {210, 160, 3}}, {}).value();
  EXPECT_EQ(
      adapter.spec(),
      (ObservationSpec{.channels = 1, .height = 84, .width = 84, .scale = 1.0F / 255, .stack = 4}));
  std::vector<std::uint8_t> raw(210 * 160 * 3);
  for (std::size_t i = 0; i < raw.size(); i += 3) raw[i] = 200;  // red
  EXPECT_THAT(Convert(adapter, raw), Each(60));                  // 0.299 x 200, rounded
}

TEST(ObservationAdapterTest, KeysOverruleWhatIsChosenForALargeScreen) {
  const ExternalOptions options{.grey = Choice::kNo, .picture_size = 42, .picture_stack = 2};
  auto adapter = ObservationAdapter::Make({.shape = {100, 90, 3}}, options).value();
  EXPECT_EQ(
      adapter.spec(),
      (ObservationSpec{.channels = 3, .height = 42, .width = 42, .scale = 1.0F / 255, .stack = 2}));
  std::vector<std::uint8_t> raw(100 * 90 * 3);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(10 * (i % 3));
  const auto out = Convert(adapter, raw);
  EXPECT_THAT(std::vector(out.begin(), out.begin() + 42 * 42), Each(0));
  EXPECT_THAT(std::vector(out.end() - 42 * 42, out.end()), Each(20));
}

TEST(ObservationAdapterTest, ASmallGreyPictureCanBeAsked) {
  auto adapter = ObservationAdapter::Make({.shape = {1, 2, 3}},
                                          {.layout = PictureLayout::kHwc, .grey = Choice::kYes})
                     .value();
  EXPECT_THAT(Convert(adapter, {255, 0, 0, 0, 255, 0}), ElementsAre(76, 150));
}

TEST(ObservationAdapterTest, RefusesWhatNoNetworkTakes) {
  EXPECT_THAT(Refused({.shape = {}}), HasSubstr("0 dimensions"));
  EXPECT_THAT(Refused({.shape = {2, 2, 2, 2}}), HasSubstr("(2, 2, 2, 2) have 4 dimensions"));
  EXPECT_THAT(Refused({.shape = {0}}), HasSubstr("sides from 1"));
  EXPECT_THAT(Refused({.shape = {4096, 4096, 4}}), HasSubstr("at most"));
  EXPECT_THAT(Refused({.shape = {3, 9, 3}}), HasSubstr("environment.layout"));
  EXPECT_THAT(Refused({.shape = {7, 9, 8}}), HasSubstr("environment.layout"));
  EXPECT_THAT(Refused({.shape = {7}}, {.grey = Choice::kYes}), HasSubstr("environment.grey"));
  EXPECT_THAT(Refused({.shape = {9, 9, 3}}, {.picture_size = 10}),
              HasSubstr("environment.picture_size is 10"));
  EXPECT_THAT(
      Refused({.shape = {99, 99, 3}, .element = ElementType::kFloat32}, {.picture_size = 10}),
      HasSubstr("of floats"));
}

}  // namespace
}  // namespace gorila
