#include "gorila/report/run_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/config/presets.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunEntry MakeEntry(const std::string& folder, const std::string& game = "minatar/breakout") {
  RunEntry run;
  run.directory = folder;
  run.config = *LoadPreset("minatar");
  run.config.environment.name = game;
  run.state = "finished";
  run.frames = 1000000;
  return run;
}

bool Matches(const RunEntry& run, std::string_view filter) {
  const StatusOr<RunFilter> parsed = RunFilter::Parse(filter);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() && parsed->Matches(run);
}

std::string Refusal(std::string_view filter) {
  const Status status = RunFilter::Parse(filter).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << filter << ": " << status;
  return std::string(status.message());
}

std::vector<std::string> Sorted(std::string_view order, std::vector<RunEntry> runs) {
  EXPECT_TRUE(SortRuns(order, runs).ok());
  std::vector<std::string> names;
  for (const RunEntry& run : runs) names.push_back(run.directory);
  return names;
}

TEST(RunFilterTest, NumbersAreComparedAsNumbersAndMayHaveUnits) {
  const RunEntry run = MakeEntry("a");
  EXPECT_TRUE(Matches(run, "frames>=1M"));
  EXPECT_TRUE(Matches(run, "frames=1e6"));
  EXPECT_FALSE(Matches(run, "frames<999999"));
  EXPECT_TRUE(Matches(run, "frames>9"));
  EXPECT_TRUE(Matches(run, "seed!=2"));
}

TEST(RunFilterTest, ARunWithoutAScoreHasNoOrder) {
  RunEntry run = MakeEntry("a");
  EXPECT_FALSE(Matches(run, "score>0"));
  EXPECT_FALSE(Matches(run, "score<=0"));
  run.score = EntryScore{.kind = ScoreKind::kFinal, .value = 12.5};
  EXPECT_TRUE(Matches(run, "score>12"));
  EXPECT_TRUE(Matches(run, "kind=final"));
  run.score->value = std::nan("");
  for (const char* none : {"score>0", "score<=0", "score>=0", "score=0"}) {
    EXPECT_FALSE(Matches(run, none)) << none;
  }
  EXPECT_TRUE(Matches(run, "score!=0"));
}

TEST(RunFilterTest, ADayIsAllOfItsMinutes) {
  RunEntry run = MakeEntry("a");
  run.when = 1796050501;
  const std::string time = TimeText(run.when), day = time.substr(0, 10);
  for (const std::string& at : {time, day, time.substr(0, 4)}) {
    EXPECT_TRUE(Matches(run, "when=" + at)) << at;
    EXPECT_TRUE(Matches(run, "when<=" + at)) << at;
    EXPECT_TRUE(Matches(run, "when>=" + at)) << at;
    EXPECT_FALSE(Matches(run, "when>" + at)) << at;
    EXPECT_FALSE(Matches(run, "when!=" + at)) << at;
  }
  EXPECT_TRUE(Matches(run, "when>2020"));
  EXPECT_TRUE(Matches(run, "when<2100-01-01"));
}

TEST(RunFilterTest, AGameMatchesByItsNameItsEndOrItsList) {
  const RunEntry run = MakeEntry("a");
  EXPECT_TRUE(Matches(run, "game=minatar/breakout"));
  EXPECT_TRUE(Matches(run, "game=breakout"));
  EXPECT_TRUE(Matches(run, "game~BREAK"));
  EXPECT_FALSE(Matches(run, "game=out"));
  EXPECT_FALSE(Matches(run, "game!=breakout"));
  const RunEntry two = MakeEntry("a", "minatar/breakout,minatar/asterix");
  EXPECT_TRUE(Matches(two, "game=asterix"));
  EXPECT_FALSE(Matches(two, "game=freeway"));
}

TEST(RunFilterTest, LabelsMatchByTagNameAndNote) {
  RunEntry run = MakeEntry("a");
  EXPECT_FALSE(Matches(run, "tag=baseline"));
  EXPECT_TRUE(Matches(run, "tag!=baseline"));
  run.labels = {.name = "Small network", .note = "", .tags = {"paper", "baseline"}};
  EXPECT_TRUE(Matches(run, "tag=baseline"));
  EXPECT_FALSE(Matches(run, "tag!=baseline"));
  EXPECT_TRUE(Matches(run, "name~small"));
  EXPECT_FALSE(Matches(run, "name=small"));
}

TEST(RunFilterTest, SettingsCompareByValueNotByText) {
  RunEntry run = MakeEntry("a");
  run.config.replay.options.transition.n_step = 3;
  EXPECT_TRUE(Matches(run, "learner.n_step=3"));
  EXPECT_TRUE(Matches(run, "learner.n_step<10"));
  EXPECT_FALSE(Matches(run, "learner.n_step!=3"));
  run.config.parameter_server.options.optimizer.learning_rate = 0.001;
  EXPECT_TRUE(Matches(run, "optimizer.learning_rate=1e-3"));
  run.config.learner.agent.algorithm = "c51";
  EXPECT_TRUE(Matches(run, "learner.algorithm=c51"));
}

TEST(RunFilterTest, WhatIsNoFilterIsRefusedWithWhatIsWrong) {
  EXPECT_THAT(Refusal("frames"), HasSubstr("expected COLUMN, one of = != < <= > >= ~"));
  EXPECT_THAT(Refusal("=3"), HasSubstr("expected COLUMN"));
  EXPECT_THAT(Refusal("frame>3"), HasSubstr("unknown column 'frame'; did you mean 'frames'"));
  EXPECT_THAT(Refusal("learner.nstep=3"), HasSubstr("learner.n_step"));
  EXPECT_THAT(Refusal("frames>=many"), HasSubstr("'many' is not a number"));
  EXPECT_THAT(Refusal("learner.n_step=x"), HasSubstr("learner.n_step"));
  EXPECT_THAT(Refusal("state=done"), HasSubstr("unknown state 'done'; expected one of training"));
  EXPECT_THAT(Refusal("kind=best"), HasSubstr("unknown kind 'best'; expected one of final"));
  EXPECT_THAT(Refusal("when>=yesterday"), HasSubstr("'yesterday' is not a time"));
  EXPECT_THAT(Refusal("when>=2026-11-30T14:05:00Z"), HasSubstr("is not a time"));
}

TEST(RunFilterTest, RunsThatCannotBeReadAreAskedForByState) {
  EXPECT_TRUE(RunFilter::Parse("state=unreadable")->WantsUnreadable());
  EXPECT_FALSE(RunFilter::Parse("state!=unreadable")->WantsUnreadable());
  EXPECT_FALSE(RunFilter::Parse("state=finished")->WantsUnreadable());
  RunEntry run = MakeEntry("a");
  run.state = "training";
  EXPECT_TRUE(Matches(run, "state=running")) << "as people say";
}

TEST(SortRunsTest, BothWaysStableAndWithoutAValueLast) {
  std::vector<RunEntry> runs = {MakeEntry("a"), MakeEntry("b"), MakeEntry("c"), MakeEntry("d")};
  runs[0].seconds = 5;
  runs[1].seconds = 20;
  runs[3].seconds = 5;
  EXPECT_THAT(Sorted("seconds", runs), ElementsAre("a", "d", "b", "c"));
  EXPECT_THAT(Sorted("-seconds", runs), ElementsAre("b", "a", "d", "c"));
  EXPECT_THAT(Sorted("-run", runs), ElementsAre("d", "c", "b", "a"));
  EXPECT_TRUE(absl::IsInvalidArgument(SortRuns("nothing", runs)));
}

TEST(SortRunsTest, ScoresAreComparedWithinAGameAndKind) {
  std::vector<RunEntry> runs = {MakeEntry("a"), MakeEntry("b"), MakeEntry("c"),
                                MakeEntry("d", "minatar/asterix"), MakeEntry("none")};
  runs[0].score = EntryScore{.kind = ScoreKind::kTraining, .value = 50};
  runs[1].score = EntryScore{.kind = ScoreKind::kFinal, .value = 10};
  runs[2].score = EntryScore{.kind = ScoreKind::kFinal, .value = 20};
  runs[3].score = EntryScore{.kind = ScoreKind::kFinal, .value = 1};
  EXPECT_THAT(Sorted("-score", runs), ElementsAre("d", "c", "b", "a", "none"));
  EXPECT_THAT(Sorted("score", runs), ElementsAre("d", "b", "c", "a", "none"));
}

TEST(SortRunsTest, ScoresThatAreNoNumbersAreLast) {
  std::vector<RunEntry> runs = {MakeEntry("a"), MakeEntry("nan"), MakeEntry("b"), MakeEntry("c")};
  runs[0].score = EntryScore{.kind = ScoreKind::kFinal, .value = 2};
  runs[1].score = EntryScore{.kind = ScoreKind::kFinal, .value = std::nan("")};
  runs[2].score = EntryScore{.kind = ScoreKind::kFinal, .value = 3};
  runs[3].score = EntryScore{.kind = ScoreKind::kFinal, .value = 1};
  EXPECT_THAT(Sorted("score", runs), ElementsAre("c", "a", "b", "nan"));
  EXPECT_THAT(Sorted("-score", runs), ElementsAre("b", "a", "c", "nan"));
}

TEST(SortRunsTest, SettingsAreColumnsToo) {
  std::vector<RunEntry> runs = {MakeEntry("a"), MakeEntry("b")};
  runs[0].config.replay.options.transition.n_step = 10;
  runs[1].config.replay.options.transition.n_step = 9;
  EXPECT_THAT(Sorted("learner.n_step", runs), ElementsAre("b", "a"));
}

}  // namespace
}  // namespace gorila
