// Kills a process that writes checkpoints, at random moments and at every one of its system calls,
// and looks at what it leaves. A kill between two system calls leaves the same files as one at the
// second call, so the latter is every moment there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "gorila/base/random.h"
#include "gorila/checkpoint/checkpoint_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

constexpr std::uint64_t kSegmentsKept = 3;
constexpr std::size_t kCheckpointsKept = 2;

// Contents that follow from a name and a number.
std::string ContentsOf(const std::string& name, std::uint64_t number) {
  RandomStream random = RandomStream::Derive(5, name, number);
  std::string contents(random.Below(20'000), '\0');
  for (char& c : contents) c = static_cast<char>(random.NextBits());
  return contents;
}

std::string SegmentName(std::uint64_t index) { return fmt::format("replay/{:06}.segment", index); }

std::vector<std::uint64_t> SegmentsOf(std::uint64_t number) {
  std::vector<std::uint64_t> segments;
  for (std::uint64_t i = number < kSegmentsKept ? 0 : number - kSegmentsKept + 1; i <= number;
       ++i) {
    segments.push_back(i);
  }
  return segments;
}

// Called after each step, with the checkpoint's number once it is committed and 0 otherwise.
using Report = void (*)(std::uint64_t committed);

// Writes checkpoint `number` with a new segment and the older ones linked from `older` (if any),
// then prunes.
StatusOr<Checkpoint> WriteCheckpoint(const fs::path& root, std::uint64_t number,
                                     const Checkpoint* older, Report report) {
  GORILA_ASSIGN_OR_RETURN(const auto writer, CheckpointWriter::Create(root, number));
  report(0);
  GORILA_RETURN_IF_ERROR(writer->AddFile("parameters", ContentsOf("parameters", number)));
  report(0);
  for (const std::uint64_t segment : SegmentsOf(number)) {
    const std::string name = SegmentName(segment);
    GORILA_RETURN_IF_ERROR(older != nullptr && older->Find(name).ok()
                               ? writer->LinkFile(name, *older)
                               : writer->AddFile(name, ContentsOf("segment", segment)));
    report(0);
  }
  GORILA_ASSIGN_OR_RETURN(Checkpoint checkpoint, writer->Commit());
  report(number);
  GORILA_RETURN_IF_ERROR(PruneCheckpoints(root, kCheckpointsKept));
  report(0);
  return checkpoint;
}

// Checkpoints without end, from the newest on, as a resumed run would. Returns only on an error.
Status WriteCheckpoints(const fs::path& root, Report report) {
  StatusOr<NewestCheckpoint> newest = NewestCompleteCheckpoint(root);
  std::uint64_t number = newest.ok() ? newest->checkpoint.number() + 1 : 1;
  StatusOr<Checkpoint> last = newest.ok() ? StatusOr<Checkpoint>(newest->checkpoint)
                                          : StatusOr<Checkpoint>(newest.status());
  while (true) {
    last = WriteCheckpoint(root, number, last.ok() ? &*last : nullptr, report);
    if (!last.ok()) return last.status();
    ++number;
  }
}

void ExpectContents(const Checkpoint& checkpoint) {
  const std::uint64_t number = checkpoint.number();
  EXPECT_EQ(checkpoint.Read("parameters").value(), ContentsOf("parameters", number));
  for (const std::uint64_t segment : SegmentsOf(number)) {
    EXPECT_EQ(checkpoint.Read(SegmentName(segment)).value(), ContentsOf("segment", segment));
  }
  EXPECT_EQ(checkpoint.files().size(), 1 + SegmentsOf(number).size());
}

bool HasTemporaryFolder(const fs::path& root) {
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().filename().string().starts_with(".tmp-")) return true;
  }
  return false;
}

class CheckpointKillTest : public testing::Test {
 protected:
  void SetUp() override {
    // The process number, so that two builds' tests may run at once.
    root_ = fs::path(testing::TempDir()) / fmt::format("checkpoint_kill_test-{}", ::getpid());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

int report_pipe = -1;
std::uint64_t reports_before_parking = 0;  // then the child waits to be killed

void ReportToParent(std::uint64_t committed) {
  if (::write(report_pipe, &committed, sizeof committed) != sizeof committed) ::_exit(3);
  if (--reports_before_parking == 0) ::pause();
}

// A child in WriteCheckpoints whose reports can be read here.
class WritingChild {
 public:
  WritingChild(const fs::path& root, std::uint64_t park_after) {
    int ends[2];
    GORILA_CHECK(::pipe(ends) == 0);
    pid_ = ::fork();
    GORILA_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      report_pipe = ends[1];
      reports_before_parking = park_after;
      const Status status = WriteCheckpoints(root, ReportToParent);
      std::fprintf(stderr, "child: %s\n", status.ToString().c_str());
      ::_exit(2);
    }
    ::close(ends[1]);
    reports_ = ends[0];
  }
  ~WritingChild() { ::close(reports_); }

  // False at the end of the reports.
  bool ReadReport() {
    std::uint64_t committed = 0;
    if (::read(reports_, &committed, sizeof committed) != sizeof committed) return false;
    last_committed_ = std::max(last_committed_, committed);
    return true;
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    while (ReadReport()) {  // what it reported before it died
    }
  }
  std::uint64_t last_committed() const { return last_committed_; }

 private:
  pid_t pid_ = -1;
  int reports_ = -1;
  std::uint64_t last_committed_ = 0;
};

TEST_F(CheckpointKillTest, NewestCompleteIsNeverOlderThanTheLastAcknowledged) {
  RandomStream random(2015);
  std::uint64_t acknowledged = 0;
  int interrupted = 0;
  for (int round = 0; round < 60; ++round) {
    // Every other child waits at its last step to be killed just there; the others run on.
    const std::uint64_t steps = 1 + random.Below(20);
    const bool park = round % 2 == 0;
    WritingChild child(root_, park ? steps : 0);
    for (std::uint64_t i = 0; i < steps; ++i) ASSERT_TRUE(child.ReadReport());
    for (std::uint64_t i = park ? 0 : random.Below(3000); i > 0; --i) std::this_thread::yield();
    child.Kill();
    acknowledged = std::max(acknowledged, child.last_committed());
    interrupted += HasTemporaryFolder(root_) ? 1 : 0;

    const auto newest = NewestCompleteCheckpoint(root_);
    if (acknowledged == 0 && absl::IsNotFound(newest.status())) continue;
    ASSERT_TRUE(newest.ok()) << newest.status();
    EXPECT_GE(newest->checkpoint.number(), acknowledged);
    EXPECT_THAT(newest->warnings, IsEmpty());
    ExpectContents(newest->checkpoint);
  }
  EXPECT_GT(acknowledged, 60u);
  EXPECT_GT(interrupted, 10) << "kills between checkpoints prove nothing";
}

volatile bool* committed_in_child = nullptr;  // in memory shared with the parent

void NoteCommit(std::uint64_t committed) {
  if (committed != 0) *committed_in_child = true;
}

void Ignore(std::uint64_t) {}

// Writes the checkpoint after `older` in a child that is killed at its `stop`-th entry to or exit
// from a system call. Returns whether it was killed rather than done before.
bool WriteUntilStop(const fs::path& root, const Checkpoint& older, int stop) {
  const pid_t pid = ::fork();
  GORILA_CHECK(pid >= 0);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(3);
    ::raise(SIGSTOP);
    ::_exit(WriteCheckpoint(root, older.number() + 1, &older, NoteCommit).ok() ? 0 : 2);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  for (int i = 0; i < stop && WIFSTOPPED(status); ++i) {
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
  }
  if (WIFSTOPPED(status)) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return true;
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "2: an error; 3: this system lets no process be traced";
  return false;
}

void ExpectOnlyWholeCheckpoints(const fs::path& root) {
  const std::vector<fs::path> paths = ListCheckpoints(root).value();
  for (const fs::path& path : paths) {
    const auto checkpoint = OpenCheckpoint(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    ExpectContents(*checkpoint);
  }
}

TEST_F(CheckpointKillTest, AKillAtAnySystemCallLeavesWholeCheckpointsAndAWayOn) {
  void* const shared =
      ::mmap(nullptr, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  committed_in_child = static_cast<bool*>(shared);
  const fs::path before = root_ / "before";
  const fs::path root = root_ / "checkpoints";
  ASSERT_TRUE(WriteCheckpoint(before, 2, nullptr, Ignore).ok());
  ASSERT_TRUE(WriteCheckpoint(before, 3, nullptr, Ignore).ok());

  int kills_before_commit = 0;
  int kills_after_commit = 0;
  // Entries and exits alternate, and an exit leaves the same files as the next entry.
  for (int stop = 0; true; stop += 2) {
    SCOPED_TRACE(fmt::format("killed at stop {}", stop));
    fs::remove_all(root);
    fs::copy(before, root, fs::copy_options::recursive);
    *committed_in_child = false;
    const Checkpoint older = OpenCheckpoint(root / "000000000003").value();
    if (!WriteUntilStop(root, older, stop)) break;
    *committed_in_child ? ++kills_after_commit : ++kills_before_commit;

    ExpectOnlyWholeCheckpoints(root);
    const auto newest = NewestCompleteCheckpoint(root);
    ASSERT_TRUE(newest.ok()) << newest.status();
    const std::uint64_t number = newest->checkpoint.number();
    EXPECT_GE(number, *committed_in_child ? 4u : 3u);
    const auto next = WriteCheckpoint(root, number + 1, &newest->checkpoint, Ignore);
    ASSERT_TRUE(next.ok()) << next.status();
    ExpectOnlyWholeCheckpoints(root);
    EXPECT_FALSE(HasTemporaryFolder(root));
    if (HasFailure()) break;
  }
  ::munmap(shared, sizeof(bool));
  EXPECT_GT(kills_before_commit, 20);
  EXPECT_GT(kills_after_commit, 10);
}

}  // namespace
}  // namespace gorila
