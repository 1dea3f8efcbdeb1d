// The gathering of milters: what they hear of one connection, or of one mail.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/api/gathering.h"
#include "policies/milters/session.h"

namespace sallyport::policies {

class MiltersGathering final : public Gathering {
 public:
  // All of it outlives this object. `of_connection`: the gathering whose sessions with the milters this mail is part
  // of; null: this one has sessions of its own.
  MiltersGathering(const MiltersSettings& settings, const MilterServices& services, std::string_view hostname,
                   MiltersGathering* of_connection);
  ~MiltersGathering() override;

  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) override;
  bool hears_of_refused_recipients() const override;
  Task<void> recipient_refused(const Transaction& mail, const RefusedRecipient& refused,
                               const GatherContext& context) override;

 private:
  struct Asked {
    const MilterSettings* milter;
    std::string name;
    std::unique_ptr<MilterSession> session;
  };
  const std::vector<Asked>& all() const { return of_connection_ != nullptr ? of_connection_->own_ : own_; }
  static bool is_asked(const Asked& asked, Stage stage, const Transaction& mail);
  // What the milter may use at the stage.
  GatherContext turn_of(const Asked& asked, Stage stage, const Transaction& mail, const GatherContext& context) const;
  Task<void> gather_content(const Transaction& mail, MiltersFacts& found, const GatherContext& context);

  const MiltersSettings& settings_;
  std::vector<Asked> own_;
  MiltersGathering* const of_connection_;
};

}  // namespace sallyport::policies
