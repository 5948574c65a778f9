#include "gorila/simulation/disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace gorila::simulation {
namespace {

const std::filesystem::path kFolder = "/disk/folder";

class SimulatedDiskTest : public testing::Test {
 protected:
  // In a thread of a process that is then killed.
  void Do(const std::function<void()>& work) {
    const ProcessId process = scheduler_.AddProcess(0);
    scheduler_.Spawn(process, "main", work);
    scheduler_.Run(scheduler_.Now() + std::chrono::seconds(100));
    scheduler_.Kill(process);
  }
  void MakeFolder() {
    Do([] {
      ASSERT_TRUE(CreateFolders(kFolder).ok());
      ASSERT_TRUE(SyncFolder("/disk").ok());
    });
  }
  std::string Contents(const std::string& name) {
    std::string contents = "none";
    Do([&] {
      const StatusOr<std::string> read = ReadFile(kFolder / name);
      if (read.ok()) contents = *read;
    });
    return contents;
  }

  Scheduler scheduler_{{.seed = 1}};
  SimulatedDisk disk_{scheduler_, {.seed = 1, .journal = false}, nullptr};
};

TEST_F(SimulatedDiskTest, WhatIsSyncedSurvivesAPowerCut) {
  MakeFolder();
  Do([] {
    EXPECT_TRUE(WriteFileAtomically(kFolder / "file", "old").ok());
    EXPECT_TRUE(WriteFileAtomically(kFolder / "file", "new").ok());
  });
  disk_.CutPower("disk");
  EXPECT_EQ(Contents("file"), "new");
}

TEST_F(SimulatedDiskTest, ANameMayBeLostWithoutASyncOfItsFolder) {
  MakeFolder();
  int kept = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    Do([&] { EXPECT_TRUE(WriteFileSynced(kFolder / name, "text").ok()); });
    EXPECT_EQ(Contents(name), "text");
    disk_.CutPower("disk");
    if (Contents(name) == "text") ++kept;
  }
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 20);
  EXPECT_EQ(disk_.counters().names_lost, 20 - kept);
}

TEST_F(SimulatedDiskTest, APowerCutInTheMiddleOfAWriteTearsTheFile) {
  MakeFolder();
  const std::string text(1000, 'x');
  Do([&] { EXPECT_TRUE(WriteFileAtomically(kFolder / "file", text).ok()); });
  const ProcessId process = scheduler_.AddProcess(0);
  scheduler_.Spawn(process, "main", [&] {
    WriteFileSynced(kFolder / "file", std::string(1000, 'y')).IgnoreError();
  });
  scheduler_.Run(scheduler_.Now() + std::chrono::microseconds(300));  // before its sync
  scheduler_.Kill(process);
  disk_.CutPower("disk");
  EXPECT_NE(Contents("file"), text);
  EXPECT_NE(Contents("file"), std::string(1000, 'y'));
  EXPECT_EQ(disk_.counters().files_torn, 1);
}

TEST_F(SimulatedDiskTest, ARenameIsSeenAtOnceAndReplacesTheFile) {
  MakeFolder();
  Do([] {
    EXPECT_TRUE(WriteFileSynced(kFolder / "a", "1").ok());
    EXPECT_TRUE(WriteFileSynced(kFolder / "b", "2").ok());
    EXPECT_TRUE(RenamePath(kFolder / "a", kFolder / "b").ok());
  });
  EXPECT_EQ(Contents("a"), "none");
  EXPECT_EQ(Contents("b"), "1");
}

TEST_F(SimulatedDiskTest, FoldersAreRemovedWithAllBelow) {
  MakeFolder();
  Do([] {
    ASSERT_TRUE(CreateFolders(kFolder / "a/b").ok());
    ASSERT_TRUE(WriteFileSynced(kFolder / "a/b/c", "text").ok());
    EXPECT_TRUE(RemovePathAndBelow(kFolder / "a").ok());
    EXPECT_EQ(LookAt(kFolder / "a").kind, PathLook::Kind::kNothing);
    EXPECT_TRUE(RemovePathAndBelow(kFolder / "a").ok());
  });
}

// As a successor that clears away what a halted process was writing.
TEST_F(SimulatedDiskTest, AFolderMayVanishWhileItIsSynced) {
  MakeFolder();
  Status synced;
  const ProcessId writer = scheduler_.AddProcess(0);
  scheduler_.Spawn(writer, "main", [&] { synced = SyncFolder(kFolder); });
  scheduler_.Spawn(scheduler_.AddProcess(0), "main", [] {
    SleepFor(std::chrono::microseconds(100));
    EXPECT_TRUE(RemovePathAndBelow(kFolder).ok());
  });
  scheduler_.Run(scheduler_.Now() + std::chrono::seconds(1));
  EXPECT_TRUE(synced.ok()) << synced;
  EXPECT_EQ(Contents("file"), "none");
}

TEST_F(SimulatedDiskTest, OneProcessHoldsALockUntilItIsKilled) {
  MakeFolder();
  const ProcessId holder = scheduler_.AddProcess(0);
  const ProcessId waiter = scheduler_.AddProcess(0);
  std::unique_ptr<LockFile> first, second;
  LockFile::Outcome before{}, after{};
  scheduler_.Spawn(holder, "main", [&] {
    first = LockFile::Open(kFolder / ".lock").value();
    first->TryLock();
  });
  scheduler_.Run(scheduler_.Now() + std::chrono::seconds(1));
  scheduler_.Spawn(waiter, "main", [&] {
    second = LockFile::Open(kFolder / ".lock").value();
    before = second->TryLock();
    SleepFor(std::chrono::seconds(10));
    after = second->TryLock();
  });
  scheduler_.At(scheduler_.Now() + std::chrono::seconds(5), [&] { scheduler_.Kill(holder); });
  scheduler_.Run(scheduler_.Now() + std::chrono::seconds(20));
  EXPECT_EQ(before, LockFile::Outcome::kBusy);
  EXPECT_EQ(after, LockFile::Outcome::kHeld);
}

TEST_F(SimulatedDiskTest, ExclusiveNamesAreGivenOnce) {
  MakeFolder();
  Do([] {
    EXPECT_TRUE(CreateExclusively(kFolder / "1").value());
    EXPECT_FALSE(CreateExclusively(kFolder / "1").value());
  });
}

}  // namespace
}  // namespace gorila::simulation
