#include "gorila/replay/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using testing_replay::Pictures;

constexpr std::size_t kBytes = Pictures::kBytes;

std::vector<std::byte> RandomFrame(RandomStream& random, std::size_t bytes) {
  std::vector<std::byte> frame(bytes);
  for (std::byte& value : frame) value = static_cast<std::byte>(random.Integer(0, 256));
  return frame;
}

FrameDictionary DictionaryOf(Pictures& pictures) {
  std::vector<std::byte> frames;
  for (int i = 0; i < 4; ++i) {
    const auto frame = pictures.Next();
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  return FrameDictionary(frames);
}

TEST(FrameCodecTest, FramesComeBackWithAndWithoutADictionary) {
  Pictures pictures(1);
  const FrameDictionary dictionary = DictionaryOf(pictures);
  FrameCodec codec(kBytes);
  RandomStream random(2);
  std::vector<std::byte> back(kBytes);
  for (int i = 0; i < 300; ++i) {
    const auto frame = i % 10 == 0 ? RandomFrame(random, kBytes) : pictures.Next();
    const FrameDictionary* const with = random.Integer(0, 2) == 0 ? nullptr : &dictionary;
    const auto packed = codec.Pack(frame, with);
    EXPECT_LE(packed.size(), PackedBound(kBytes));
    const std::vector<std::byte> kept(packed.begin(), packed.end());
    codec.Unpack(kept, with, back.data());
    ASSERT_EQ(back, frame) << i;
  }
}

TEST(FrameCodecTest, FramesOfEverySizeComeBack) {
  RandomStream random(3);
  for (std::size_t bytes = 1; bytes < 40; ++bytes) {
    const auto first = RandomFrame(random, bytes);
    const FrameDictionary dictionary(first);
    FrameCodec codec(bytes);
    for (const FrameDictionary* with :
         {static_cast<const FrameDictionary*>(nullptr), &dictionary}) {
      const auto frame = RandomFrame(random, bytes);
      std::vector<std::byte> back(bytes);
      const auto packed = codec.Pack(frame, with);
      codec.Unpack({packed.begin(), packed.end()}, with, back.data());
      EXPECT_EQ(back, frame) << bytes;
    }
  }
}

// zstd would take it for a dictionary of its own format, and refuse it.
TEST(FrameCodecTest, ADictionaryMayBeginWithAnyBytes) {
  std::vector<std::byte> frame(kBytes, std::byte{7});
  const std::uint32_t magic = ZSTD_MAGIC_DICTIONARY;
  std::copy_n(reinterpret_cast<const std::byte*>(&magic), sizeof magic, frame.begin());
  const FrameDictionary dictionary(frame);
  FrameCodec codec(kBytes);
  std::vector<std::byte> back(kBytes);
  codec.Unpack(codec.Pack(frame, &dictionary), &dictionary, back.data());
  EXPECT_EQ(back, frame);
}

// What was packed before has no influence: rows take as many bytes again after a restore.
TEST(FrameCodecTest, PacksTheSameFrameTheSameWhateverCameBefore) {
  Pictures pictures(4);
  const FrameDictionary dictionary = DictionaryOf(pictures);
  FrameCodec used(kBytes);
  for (int i = 0; i < 200; ++i) used.Pack(pictures.Next(), i % 3 == 0 ? &dictionary : nullptr);
  for (int i = 0; i < 20; ++i) {
    FrameCodec fresh(kBytes);
    const FrameDictionary* const with = i % 2 == 0 ? &dictionary : nullptr;
    const auto frame = pictures.Next();
    const auto a = used.Pack(frame, with);
    const auto b = fresh.Pack(frame, with);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  }
}

TEST(FrameCodecTest, ADictionaryMakesLikeFramesSmaller) {
  Pictures pictures(5);
  const FrameDictionary dictionary = DictionaryOf(pictures);
  FrameCodec codec(kBytes);
  std::size_t with = 0;
  std::size_t without = 0;
  for (int i = 0; i < 50; ++i) {
    const auto frame = pictures.Next();
    with += codec.Pack(frame, &dictionary).size();
    without += codec.Pack(frame, nullptr).size();
  }
  EXPECT_LT(with, without / 4);
}

TEST(PackedFrameBytesTest, IsAnEighthOfAFrameUnlessGiven) {
  const FrameStorageOptions automatic{.compression = FrameCompression::kZstd};
  EXPECT_EQ(PackedFrameBytes(automatic, 84 * 84), 882 + 32);
  EXPECT_LE(PackedFrameBytes(automatic, 84 * 84) * 1000000, std::int64_t{1} << 30);
  const FrameStorageOptions given{.compression = FrameCompression::kZstd,
                                  .compressed_frame_bytes = 300};
  EXPECT_EQ(PackedFrameBytes(given, 84 * 84), 300);
  EXPECT_EQ(PackedFrameBytes(given, 8), static_cast<std::int64_t>(PackedBound(8)))
      << "more than a frame can take is not set aside";
}

TEST(DictionaryFramesTest, TakesFramesApartAndNoMoreThanItWants) {
  DictionaryFrames frames(kBytes);
  Pictures pictures(6);
  int offered = 0;
  std::size_t taken = 0;
  std::vector<int> when;
  while (!frames.complete()) {
    frames.Offer(pictures.Next());
    if (frames.frames().size() > taken) when.push_back(offered);
    taken = frames.frames().size();
    ++offered;
  }
  EXPECT_EQ(when, (std::vector{0, 61, 122, 183, 244, 305, 366, 427}));
  for (int i = 0; i < 200; ++i) frames.Offer(pictures.Next());
  EXPECT_EQ(frames.frames().size(), 8 * kBytes);
  DictionaryFrames large(100000);
  EXPECT_FALSE(large.complete());
  large.Offer(std::vector<std::byte>(100000));
  EXPECT_TRUE(large.complete()) << "one frame is enough of large ones";
}

TEST(DictionaryFramesTest, GoesOnAfterARestoreAndFindsDamage) {
  Pictures pictures(7);
  DictionaryFrames original(kBytes);
  for (int i = 0; i < 150; ++i) original.Offer(pictures.Next());
  StateWriter writer;
  original.SaveState(writer);
  DictionaryFrames restored(kBytes);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  for (int i = 0; i < 400; ++i) {
    const auto frame = pictures.Next();
    original.Offer(frame);
    restored.Offer(frame);
  }
  EXPECT_TRUE(std::equal(original.frames().begin(), original.frames().end(),
                         restored.frames().begin(), restored.frames().end()));
  for (std::size_t size = 0; size < writer.bytes().size(); size += 5) {
    StateReader truncated(std::string_view(writer.bytes()).substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(truncated))) << size;
  }
  for (std::size_t i = 0; i < 16; ++i) {  // the counts
    std::string damaged = writer.bytes();
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    StateReader damage(damaged);
    const Status status = restored.RestoreState(damage);
    EXPECT_TRUE(absl::IsDataLoss(status)) << i << " " << status;
  }
}

}  // namespace
}  // namespace gorila
