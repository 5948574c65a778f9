#include "gorila/parameter_server/gradient_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gorila/base/random.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {
namespace {

using testing::HasSubstr;

constexpr GradientEncoding kAll[] = {GradientEncoding::kFloat32, GradientEncoding::kBf16,
                                     GradientEncoding::kTopK};

std::vector<float> RandomGradient(std::size_t size, RandomStream& random) {
  std::vector<float> gradient(size);
  for (float& value : gradient) {
    value = static_cast<float>(std::pow(10.0, 6 * random.Uniform() - 5) *
                               (random.Uniform() < 0.5 ? -1 : 1));
  }
  return gradient;
}

std::vector<float> Decode(GradientEncoding encoding, std::span<const std::byte> bytes,
                          std::size_t size) {
  std::vector<float> gradient(size, -1);
  const Status status = DecodeGradient(encoding, bytes, gradient);
  EXPECT_TRUE(status.ok()) << status;
  return gradient;
}

TEST(GradientEncodingTest, NamesGoThereAndBack) {
  for (const GradientEncoding encoding : kAll) {
    EXPECT_EQ(ParseGradientEncoding(GradientEncodingName(encoding)).value(), encoding);
  }
  const Status unknown = ParseGradientEncoding("bf61").status();
  EXPECT_TRUE(absl::IsInvalidArgument(unknown));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'bf16'"));
}

TEST(GradientEncoderTest, Float32IsExact) {
  RandomStream random(1);
  const std::vector<float> gradient = RandomGradient(1000, random);
  GradientEncoder encoder(GradientEncoding::kFloat32, 0.1, gradient.size());
  std::vector<std::byte> bytes;
  encoder.Encode(gradient, bytes);
  EXPECT_EQ(bytes.size(), 4000U);
  EXPECT_EQ(Decode(GradientEncoding::kFloat32, bytes, gradient.size()), gradient);
}

TEST(GradientEncoderTest, Bf16KeepsEightBitsAndRoundsToEven) {
  const std::vector<float> gradient = {1.0F, 1.00390625F, 1.01171875F, -3.0F, 0.0F};
  GradientEncoder encoder(GradientEncoding::kBf16, 0.1, gradient.size());
  std::vector<std::byte> bytes;
  encoder.Encode(gradient, bytes);
  EXPECT_EQ(bytes.size(), 10U);
  // Halfway between 1 and 1.0078125 goes to the even 1; halfway above that goes up.
  EXPECT_EQ(Decode(GradientEncoding::kBf16, bytes, gradient.size()),
            (std::vector<float>{1.0F, 1.0F, 1.015625F, -3.0F, 0.0F}));
}

TEST(GradientEncoderTest, TopKSendsTheLargestEntriesOnly) {
  const std::vector<float> gradient = {0.1F, -5.0F, 0.2F, 3.0F, 0.0F, -0.3F};
  GradientEncoder encoder(GradientEncoding::kTopK, 0.5, gradient.size());
  std::vector<std::byte> bytes;
  encoder.Encode(gradient, bytes);
  EXPECT_EQ(bytes.size(), 4U + 3 * 8);
  EXPECT_EQ(Decode(GradientEncoding::kTopK, bytes, gradient.size()),
            (std::vector<float>{0, -5.0F, 0, 3.0F, 0, -0.3F}));
}

TEST(GradientEncoderTest, TopKOfEqualEntriesSendsExactlyK) {
  const std::vector<float> gradient(1000, 0.5F);
  GradientEncoder encoder(GradientEncoding::kTopK, 0.01, gradient.size());
  std::vector<std::byte> bytes;
  encoder.Encode(gradient, bytes);
  const std::vector<float> sent = Decode(GradientEncoding::kTopK, bytes, gradient.size());
  EXPECT_EQ(std::count(sent.begin(), sent.end(), 0.5F), 10);
}

TEST(GradientEncoderTest, TopKAgreesWithSorting) {
  RandomStream random(2);
  for (int round = 0; round < 50; ++round) {
    const std::size_t size = 1 + random.Below(round % 10 == 0 ? 9000 : 300);
    const std::vector<float> gradient = RandomGradient(size, random);
    const double fraction = 0.01 + 0.49 * random.Uniform();
    GradientEncoder encoder(GradientEncoding::kTopK, fraction, size);
    std::vector<std::byte> bytes;
    encoder.Encode(gradient, bytes);
    const std::vector<float> sent = Decode(GradientEncoding::kTopK, bytes, size);
    float smallest_sent = std::numeric_limits<float>::infinity();
    float largest_kept = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (sent[i] != 0) smallest_sent = std::min(smallest_sent, std::abs(sent[i]));
      if (sent[i] == 0) largest_kept = std::max(largest_kept, std::abs(gradient[i]));
    }
    // Entries of one bucket, 1/128 apart, may stand for one another.
    EXPECT_LE(largest_kept, smallest_sent * (1 + 1.0F / 128));
  }
}

// They are found in another way.
TEST(GradientEncoderTest, TopKSendsOfFewEntriesWhatItSendsOfMany) {
  RandomStream random(3);
  constexpr std::size_t kFew = 1000, kMany = 8000;
  GradientEncoder few(GradientEncoding::kTopK, 0.125, kFew);
  GradientEncoder many(GradientEncoding::kTopK, 0.125 * kFew / kMany, kMany);
  std::vector<std::byte> of_few, of_many;
  for (int round = 0; round < 20; ++round) {
    std::vector<float> gradient = RandomGradient(kFew, random);
    few.Encode(gradient, of_few);
    gradient.resize(kMany);  // with zeros
    many.Encode(gradient, of_many);
    EXPECT_EQ(of_few, of_many);
  }
}

// Whatever is left out comes later: the sum of what was sent and what is kept is the sum of the
// gradients.
TEST(GradientEncoderTest, NothingIsLostOverManyGradients) {
  for (const GradientEncoding encoding : {GradientEncoding::kBf16, GradientEncoding::kTopK}) {
    SCOPED_TRACE(std::string(GradientEncodingName(encoding)));
    constexpr std::size_t kSize = 200;
    RandomStream random(3);
    GradientEncoder encoder(encoding, 0.05, kSize);
    std::vector<double> given(kSize, 0.0);
    std::vector<double> sent(kSize, 0.0);
    std::vector<std::byte> bytes;
    for (int round = 0; round < 100; ++round) {
      const std::vector<float> gradient = RandomGradient(kSize, random);
      encoder.Encode(gradient, bytes);
      const std::vector<float> decoded = Decode(encoding, bytes, kSize);
      for (std::size_t i = 0; i < kSize; ++i) {
        given[i] += static_cast<double>(gradient[i]);
        sent[i] += static_cast<double>(decoded[i]);
      }
    }
    for (std::size_t i = 0; i < kSize; ++i) {
      EXPECT_NEAR(sent[i] + static_cast<double>(encoder.residual()[i]), given[i],
                  1e-4 * (1 + std::abs(given[i])));
    }
  }
}

TEST(GradientEncoderTest, WhatIsNotFiniteIsSentAndLeavesNothingBehind) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const GradientEncoding encoding : kAll) {
    SCOPED_TRACE(std::string(GradientEncodingName(encoding)));
    const std::vector<float> gradient = {1, nan, 2, -infinity};
    GradientEncoder encoder(encoding, 0.5, gradient.size());
    std::vector<std::byte> bytes;
    encoder.Encode(gradient, bytes);
    const std::vector<float> sent = Decode(encoding, bytes, gradient.size());
    EXPECT_TRUE(std::isnan(sent[1]));
    EXPECT_EQ(sent[3], -infinity);
    for (const float rest : encoder.residual()) EXPECT_TRUE(std::isfinite(rest));
  }
}

// More entries that no shard takes than top-k sends: the next gradients must be taken again.
TEST(GradientEncoderTest, AGradientThatNoShardTakesDoesNotSpoilTheNext) {
  constexpr std::size_t kSize = 100;
  RandomStream random(6);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F}) {
    for (const GradientEncoding encoding : kAll) {
      SCOPED_TRACE(fmt::format("{} {}", GradientEncodingName(encoding), bad));
      GradientEncoder encoder(encoding, 0.01, kSize);
      std::vector<std::byte> bytes;
      encoder.Encode(RandomGradient(kSize, random), bytes);
      encoder.Encode(std::vector<float>(kSize, bad), bytes);
      EXPECT_FALSE(SquaresAreFinite(Decode(encoding, bytes, kSize)));
      for (int i = 0; i < 99; ++i) {
        encoder.Encode(RandomGradient(kSize, random), bytes);
        ASSERT_TRUE(SquaresAreFinite(Decode(encoding, bytes, kSize))) << i;
      }
    }
  }
}

// As of parameters that were 1e16 for a while.
TEST(GradientEncoderTest, AfterHugeGradientsItSoonSendsTheUsualSizeAgain) {
  constexpr std::size_t kSize = 1000;
  for (const int huge : {1, 10, 100}) {
    RandomStream random(7);
    GradientEncoder encoder(GradientEncoding::kTopK, 0.01, kSize);
    std::vector<std::byte> bytes;
    for (int i = 0; i < 200; ++i) encoder.Encode(RandomGradient(kSize, random), bytes);
    for (int i = 0; i < huge; ++i) {
      std::vector<float> gradient = RandomGradient(kSize, random);
      for (float& value : gradient) value *= 1e16F;
      encoder.Encode(gradient, bytes);
    }
    for (int i = 0; i < 50; ++i) encoder.Encode(RandomGradient(kSize, random), bytes);
    for (const float value : Decode(GradientEncoding::kTopK, bytes, kSize)) {
      EXPECT_LT(std::abs(value), 1e5F) << huge;
    }
    for (const float rest : encoder.residual()) EXPECT_LT(std::abs(rest), 1e5F) << huge;
  }
}

TEST(GradientEncoderTest, WhatAShardRefusedLeavesNothingBehind) {
  for (const GradientEncoding encoding : kAll) {
    GradientEncoder encoder(encoding, 0.5, 4);
    std::vector<std::byte> bytes;
    encoder.Encode(std::vector<float>{1.001F, 2.002F, 3.003F, 4.004F}, bytes);
    encoder.Forget();
    for (const float rest : encoder.residual()) EXPECT_EQ(rest, 0);
  }
}

TEST(GradientEncoderTest, KeepsWithinTheLongestEncoding) {
  RandomStream random(5);
  for (const GradientEncoding encoding : kAll) {
    for (const std::size_t size : {1U, 2U, 3U, 1001U}) {
      GradientEncoder encoder(encoding, kMaxTopKFraction, size);
      std::vector<std::byte> bytes;
      encoder.Encode(RandomGradient(size, random), bytes);
      EXPECT_LE(bytes.size(), MaxEncodedBytes(encoding, size));
    }
  }
}

TEST(DecodeGradientTest, RefusesWrongLengths) {
  std::vector<float> gradient(4);
  for (const GradientEncoding encoding : kAll) {
    GradientEncoder encoder(encoding, 0.5, 4);
    std::vector<std::byte> bytes;
    encoder.Encode(std::vector<float>{1, 2, 3, 4}, bytes);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, bytes.size() - 1}) {
      EXPECT_TRUE(absl::IsInvalidArgument(
          DecodeGradient(encoding, std::span(bytes).first(length), gradient)));
    }
    bytes.push_back(std::byte{0});
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeGradient(encoding, bytes, gradient)));
  }
}

TEST(DecodeGradientTest, RefusesIndicesOutOfRangeAndOutOfOrder) {
  const auto encode = [](std::initializer_list<std::uint32_t> indices) {
    std::vector<std::byte> bytes(4 + indices.size() * 8);
    const auto count = static_cast<std::uint32_t>(indices.size());
    std::memcpy(bytes.data(), &count, 4);
    std::size_t at = 4;
    for (const std::uint32_t index : indices) {
      std::memcpy(bytes.data() + at, &index, 4);
      at += 8;
    }
    return bytes;
  };
  std::vector<float> gradient(4);
  EXPECT_TRUE(DecodeGradient(GradientEncoding::kTopK, encode({0, 3}), gradient).ok());
  for (const auto& bytes : {encode({4}), encode({0xffffffffU}), encode({2, 2}), encode({2, 1})}) {
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeGradient(GradientEncoding::kTopK, bytes, gradient)));
  }
}

// A peer may send anything: no crash, no write out of bounds (the sanitizers look).
TEST(DecodeGradientTest, RandomBytesDoNoHarm) {
  RandomStream random(4);
  std::vector<float> gradient(16);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> bytes(random.Below(80));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.Integer(0, 256));
    if (bytes.size() >= 4 && random.Uniform() < 0.5) {
      const auto count = static_cast<std::uint32_t>((bytes.size() - 4) / 8);
      std::memcpy(bytes.data(), &count, 4);
    }
    for (const GradientEncoding encoding : kAll) {
      (void)DecodeGradient(encoding, bytes, gradient);
    }
  }
}

}  // namespace
}  // namespace gorila
