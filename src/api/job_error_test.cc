// What is a refusal and what a failure.
#include "api/job_error.h"

#include <gtest/gtest.h>

namespace warifu::api {
namespace {

catalog::Job restore_that_ended(const Error& why) {
  catalog::Job job;
  job.kind = catalog::JobKind::kRestore;
  job.state = catalog::JobState::kFailed;
  job.error = error_text(why);
  return job;
}

TEST(JobError, AConsentThatDoesNotCountIsNoFailure) {
  for (const Reason why : {Reason::kWithdrawn, Reason::kExpired, Reason::kUsedUp,
                           Reason::kOtherPurpose, Reason::kMoreGuardians}) {
    EXPECT_TRUE(was_refused(restore_that_ended({Code::kRefused, "lsa: no", why})));
  }
}

TEST(JobError, ForgeryDamageAndSilenceAreFailures) {
  for (const Reason why :
       {Reason::kNone, Reason::kCopiedCard, Reason::kIndexUsed, Reason::kWrongTag,
        Reason::kWrongSignature, Reason::kMalformed, Reason::kOtherChunks, Reason::kExposure,
        Reason::kCannotRestore, Reason::kNoAnswer, Reason::kDamagedCertificate}) {
    EXPECT_FALSE(was_refused(restore_that_ended({Code::kRefused, "lsa: no", why})))
        << reason_name(why);
  }
}

TEST(JobError, AJobTellsCodeReasonAndWordsApart) {
  catalog::Job job = restore_that_ended({Code::kRefused, "lsa: no", Reason::kWithdrawn});
  EXPECT_EQ(error_message(job), "lsa: no");
  EXPECT_EQ(error_reason(job), "withdrawn");
  EXPECT_EQ(error_code(job), "") << "none is kept";
  for (const char* result : {"", "x", "[]", "{}", R"({"code":7})"}) {
    job.result = result;
    EXPECT_EQ(error_code(job), "") << result;
  }
  job.result = R"({"code":"refused"})";
  EXPECT_EQ(error_code(job), "refused");
  job.state = catalog::JobState::kWaitingKey;
  EXPECT_EQ(error_code(job), "out_of_key");
  job.error = "";
  EXPECT_EQ(error_code(job), "");
  EXPECT_EQ(error_reason(job), "");
}

TEST(JobError, OnlyARestoreThatIsOverWasRefused) {
  catalog::Job job = restore_that_ended({Code::kRefused, "lsa: no", Reason::kWithdrawn});
  job.kind = catalog::JobKind::kRepair;
  EXPECT_FALSE(was_refused(job));
  job.kind = catalog::JobKind::kRestore;
  job.state = catalog::JobState::kPaused;
  EXPECT_FALSE(was_refused(job));
}

}  // namespace
}  // namespace warifu::api
