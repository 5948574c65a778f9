#include "gorila/config/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::vector<std::string> AllValues(const Config& config) {
  std::vector<std::string> values;
  for (const ConfigKey& key : ConfigKeys()) values.push_back(ValueText(key.field, config));
  return values;
}

// An allowed value of the field as TOML text, its ends more often than chance would have it.
class RandomValue {
 public:
  explicit RandomValue(RandomStream& random) : random_(random) {}

  std::string operator()(const IntegerField& field) const {
    const std::uint64_t span = static_cast<std::uint64_t>(field.high - field.low);
    const int kind = random_.Integer(0, 4);
    if (kind == 0) return fmt::format("{}", field.low);
    if (kind == 1) return fmt::format("{}", field.high);
    // As many small numbers as large ones.
    const std::uint64_t offset = random_.NextBits() >> random_.Integer(1, 63);
    return fmt::format("{}", field.low + static_cast<std::int64_t>(offset % (span + 1)));
  }

  std::string operator()(const RealField& field) const {
    const RealRange& range = field.range;
    const int kind = random_.Integer(0, 4);
    if (kind == 0 && !range.without_low) return fmt::format("{}", range.low);
    if (kind == 1 && !range.without_high) return fmt::format("{}", range.high);
    const double width = std::min(range.high - range.low, 1e300);
    // Ten orders of magnitude; never the ends.
    const double value = range.low + width * std::pow(10, -10 * (1 - random_.Uniform())) * 0.999;
    return fmt::format("{}", std::max(value, std::nextafter(range.low, range.high)));
  }

  std::string operator()(const BooleanField&) const {
    return random_.Integer(0, 2) == 0 ? "false" : "true";
  }

  std::string operator()(const NameField& field) const {
    if (field.choices == nullptr) return fmt::format("a.name/{}", random_.Integer(0, 1000));
    const std::vector<std::string_view> choices = field.choices();
    return std::string(choices[random_.Below(choices.size())]);
  }

  std::string operator()(const TextField&) const {
    return fmt::format(R"({{"a b": '{}\\n'}})", random_.Integer(0, 1000));
  }

  std::string operator()(const HiddenLayersField&) const {
    return Layers([this] { return fmt::format("{}", Size()); });
  }

  std::string operator()(const ConvolutionsField&) const {
    return Layers([this] { return fmt::format("[{}, {}, {}]", Size(), Size(), Size()); });
  }

 private:
  int Size() const { return random_.Integer(1, kMaxUnits + 1); }

  template <typename Layer>
  std::string Layers(Layer layer) const {
    std::vector<std::string> layers;
    for (int i = random_.Integer(0, kMaxLayers + 1); i > 0; --i) layers.push_back(layer());
    return fmt::format("[{}]", fmt::join(layers, ", "));
  }

  RandomStream& random_;
};

// Text that a field must refuse.
struct Refused {
  std::vector<std::string> operator()(const IntegerField& field) const {
    std::vector<std::string> texts = {"1.5", "true", "\"1\"", "[1]", "nan", "soon", "", "1\nx = 2"};
    texts.push_back(fmt::format("{}", field.low - 1));
    // One above the largest is no 64-bit integer where there is no limit.
    texts.push_back(fmt::format("{}", static_cast<std::uint64_t>(field.high) + 1));
    return texts;
  }
  std::vector<std::string> operator()(const RealField& field) const {
    const double infinity = std::numeric_limits<double>::infinity();
    const RealRange& range = field.range;
    std::vector<std::string> texts = {"nan",   "-nan", "inf",  "-inf", "true",
                                      "\"1\"", "[1]",  "soon", ""};
    texts.push_back(
        fmt::format("{}", range.without_low ? range.low : std::nextafter(range.low, -infinity)));
    const double above = range.without_high ? range.high : std::nextafter(range.high, infinity);
    if (std::isfinite(above)) texts.push_back(fmt::format("{}", above));
    return texts;
  }
  std::vector<std::string> operator()(const BooleanField&) const {
    return {"1", "\"true\"", "yes", "True", ""};
  }
  std::vector<std::string> operator()(const NameField&) const {
    return {"", "\"\"", "no such name", "\"x\\\"y\"", "a\nb", "\"half"};
  }
  std::vector<std::string> operator()(const TextField&) const {
    return {"", "\"\"", "a\nb", "\"half", "\"a\\u0007b\""};
  }
  std::vector<std::string> operator()(const HiddenLayersField&) const {
    return {"64", "[0]", "[-1]", "[65537]", "[1.5]", "[[64]]", "[\"64\"]", "[4294967297]"};
  }
  std::vector<std::string> operator()(const ConvolutionsField&) const {
    return {"[16, 3, 1]", "[[16, 3]]", "[[16, 3, 1, 1]]", "[[0, 3, 1]]", "[[16, 3, 0]]", "[[]]"};
  }
};

TEST(ConfigKeysTest, EveryKeyIsListedOnceAndSectionsLieTogether) {
  std::set<std::string_view> names;
  std::set<std::string_view> sections;
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    if (key.section() != section) {
      EXPECT_TRUE(sections.insert(key.section()).second) << key.name;
    }
    section = key.section();
  }
  EXPECT_EQ(sections.size(), 14u);
}

TEST(ConfigKeysTest, EveryKeyHasAMeaningOfOneLine) {
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    EXPECT_EQ(key.meaning.find('\n'), std::string_view::npos) << key.name;
    EXPECT_LE(key.meaning.size(), 95u) << key.name;
    EXPECT_LE(key.paper.size(), 95u) << key.name;
  }
}

TEST(ConfigKeysTest, DefaultsAreAllowedEverywhere) {
  Config config;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_EQ(SetConfigValue(config, key.name, ValueText(key.field, config)), OkStatus());
  }
}

TEST(ConfigKeysTest, AKeyChangesItsOwnValueAndNoOther) {
  RandomStream random(1);
  for (std::size_t i = 0; i < ConfigKeys().size(); ++i) {
    const ConfigKey& key = ConfigKeys()[i];
    Config config;
    const std::vector<std::string> before = AllValues(config);
    // With one choice only there is nothing to change to.
    const auto* const name = std::get_if<NameField>(&key.field);
    if (name != nullptr && name->choices != nullptr && name->choices().size() == 1) continue;
    while (ValueText(key.field, config) == before[i]) {
      ASSERT_EQ(SetConfigValue(config, key.name, std::visit(RandomValue(random), key.field)),
                OkStatus());
    }
    std::vector<std::string> after = AllValues(config);
    after[i] = before[i];
    EXPECT_EQ(after, before) << key.name;
  }
}

TEST(ConfigKeysTest, KeysReachTheFieldsOfTheSameName) {
  Config config;
  ASSERT_TRUE(SetConfigValue(config, "run.frames", "7_000_000_000").ok());
  EXPECT_EQ(config.run.frames, 7000000000);
  ASSERT_TRUE(SetConfigValue(config, "run.deterministic", "true").ok());
  EXPECT_TRUE(config.run.deterministic);
  ASSERT_TRUE(SetConfigValue(config, "learner.discount", "1").ok());
  EXPECT_EQ(config.replay.options.transition.discount, 1.0);
  ASSERT_TRUE(SetConfigValue(config, "learner.loss", "squared").ok());
  EXPECT_EQ(config.learner.agent.loss, TdErrorLoss::kSquared);
  ASSERT_TRUE(SetConfigValue(config, "learner.loss", "\"huber\"").ok());
  EXPECT_EQ(config.learner.agent.loss, TdErrorLoss::kHuber);
  ASSERT_TRUE(SetConfigValue(config, "actor.epsilon_clock", "'updates'").ok());
  EXPECT_EQ(config.actor.options.exploration.clock, ExplorationClock::kUpdates);
  ASSERT_TRUE(SetConfigValue(config, "learner.reduction", "sum").ok());
  EXPECT_EQ(config.learner.agent.reduction, BatchReduction::kSum);
  ASSERT_TRUE(SetConfigValue(config, "optimizer.name", "adagrad").ok());
  EXPECT_EQ(config.parameter_server.options.optimizer.name, "adagrad");
  ASSERT_TRUE(SetConfigValue(config, "network.hidden", "[128, 64]").ok());
  EXPECT_EQ(config.network.hidden, (std::vector<int>{128, 64}));
  ASSERT_TRUE(SetConfigValue(config, "network.convolutions", "[[16, 3, 1]]").ok());
  EXPECT_EQ(config.network.convolutions,
            (std::vector<ConvolutionSpec>{{.filters = 16, .kernel = 3, .stride = 1}}));
}

TEST(ConfigKeysTest, RandomValuesOfEveryKeySurviveTomlExactly) {
  RandomStream random(2);
  for (int round = 0; round < 200; ++round) {
    Config config;
    for (const ConfigKey& key : ConfigKeys()) {
      const std::string text = std::visit(RandomValue(random), key.field);
      ASSERT_EQ(SetConfigValue(config, key.name, text), OkStatus());
    }
    Config parsed;
    ASSERT_EQ(ApplyToml(parsed, ToToml(config), "resolved.toml"), OkStatus());
    ASSERT_EQ(AllValues(parsed), AllValues(config));
    EXPECT_EQ(parsed.network.convolutions, config.network.convolutions);
    EXPECT_EQ(parsed.network.hidden, config.network.hidden);
    for (const ConfigKey& key : ConfigKeys()) {
      const auto* const real = std::get_if<RealField>(&key.field);
      if (real != nullptr) {
        EXPECT_EQ(real->get(parsed), real->get(config)) << key.name;
      }
    }
  }
}

TEST(ConfigKeysTest, WhatIsNotAllowedIsRefusedWithKeyAndExpectation) {
  const Config defaults;
  for (const ConfigKey& key : ConfigKeys()) {
    for (const std::string& text : std::visit(Refused{}, key.field)) {
      Config config;
      const Status status = SetConfigValue(config, key.name, text);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key.name << " = " << text;
      EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(key.name) + " is "));
      EXPECT_THAT(
          std::string(status.message()),
          AnyOf(HasSubstr("; expected " + AllowedText(key.field)), HasSubstr(" lists all")));
      EXPECT_EQ(AllValues(config), AllValues(defaults)) << key.name << " = " << text;
    }
  }
}

// What a value of memory depends on must not be as large as the type.
TEST(ConfigKeysTest, KeysThatMemoryDependsOnHaveABoundOfTheirOwn) {
  for (const std::string_view name :
       {"evaluation.episodes", "evaluation.periodic_episodes", "replay.compressed_frame_bytes",
        "learner.batch_size", "actor.environments", "run.bundles", "parameter_server.shards",
        "cluster.actors", "cluster.learners", "cluster.replays", "atari.stack"}) {
    Config config;
    EXPECT_THAT(SetConfigValue(config, name, "2147483647").message(),
                HasSubstr(fmt::format("{} is 2147483647; expected an integer from", name)));
  }
}

TEST(ConfigKeysTest, WholeNumbersMayBeWrittenAsPeopleWriteThem) {
  Config config;
  ASSERT_TRUE(SetConfigValue(config, "run.frames", "2.5e6").ok());
  EXPECT_EQ(config.run.frames, 2500000);
  ASSERT_TRUE(SetConfigValue(config, "replay.capacity", "250k").ok());
  EXPECT_EQ(config.replay.options.capacity, 250000);
  EXPECT_EQ(SetConfigValue(config, "learner.batch_size", "100k").message(),
            "learner.batch_size is 100000; expected an integer from 1 to 65536");
  EXPECT_EQ(SetConfigValue(config, "run.frames", "1.5").message(),
            "run.frames is 1.5; expected an integer from 1 to 2^63 - 1, such as 1000000, 1e6 or "
            "1M");
  EXPECT_EQ(SetConfigValue(config, "run.seed", "1k").message(),
            "run.seed is '1k'; expected an integer from 0 to 2^63 - 1, such as 1000000 or 1e6");
  EXPECT_FALSE(ApplyToml(config, "[run]\nframes = 1e6\n", "x.toml").ok());
}

TEST(ConfigKeysTest, RefusalsSayWhatWasGiven) {
  Config config;
  EXPECT_EQ(SetConfigValue(config, "learner.batch_size", "0").message(),
            "learner.batch_size is 0; expected an integer from 1 to 65536");
  EXPECT_EQ(SetConfigValue(config, "learner.batch_size", "many").message(),
            "learner.batch_size is 'many'; expected an integer from 1 to 65536");
  EXPECT_EQ(SetConfigValue(config, "learner.discount", "1.5").message(),
            "learner.discount is 1.5; expected a number from 0 to 1");
  EXPECT_EQ(SetConfigValue(config, "learner.loss", "hubber").message(),
            "learner.loss is 'hubber'; expected one of squared, huber");
  EXPECT_EQ(SetConfigValue(config, "run.seconds", "-1").message(),
            "run.seconds is -1; expected a number, 0 or more");
}

TEST(ConfigKeysTest, UnknownKeysGetTheLikelyOne) {
  Config config;
  EXPECT_EQ(SetConfigValue(config, "learner.bach_size", "32").message(),
            "unknown key 'learner.bach_size'; did you mean 'learner.batch_size'? 'gorila config' "
            "lists all");
  EXPECT_EQ(
      SetConfigValue(config, "batch_size", "32").message(),
      "unknown key 'batch_size'; did you mean 'learner.batch_size'? 'gorila config' lists all");
  EXPECT_EQ(SetConfigValue(config, "learner.learning_rate", "1").message(),
            "unknown key 'learner.learning_rate'; did you mean 'optimizer.learning_rate'? 'gorila "
            "config' lists all");
}

TEST(ConfigKeysTest, AGameWithoutItsFolderIsSuggestedWithIt) {
  Config config;
  const Status status = SetConfigValue(config, "environment.name", "breakout");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("did you mean 'minatar/breakout'? 'gorila envs' lists all"));
}

}  // namespace
}  // namespace gorila
