// The policies that are compared: how a site of a simulated network chooses where shares go.
//
//   vaults    always the two vaults, shortest ways; relays may see both shares (as it is done)
//   nearest   always the two nearest legal sites (hops, then km)
//   residual  shortest ways of at most four hops; the legal pair with the most residual key per hop
//   price     the planner that stores use, asked anew for every object
//
// "vaults" and "nearest" are plans of the same planner, made once on a network where every hop
// costs the same. The planner must outlive a placer. One thread.
#pragma once

#include <memory>
#include <string>

#include "simulate/model_planner.h"

namespace warifu::simulate {

enum class Policy : std::uint8_t { kVaults, kNearest, kResidual, kPrice };

[[nodiscard]] std::string_view policy_name(Policy policy);
// Errors: kInvalidArgument naming the text and what is known.
[[nodiscard]] Result<Policy> parse_placing_policy(std::string_view text);
[[nodiscard]] std::vector<Policy> all_policies();

class Placer {
 public:
  virtual ~Placer() = default;
  // Where an object of `origin` can go now; none: it has to wait for key.
  [[nodiscard]] virtual std::optional<Placed> place(std::size_t origin, const KeyPools& pools) = 0;
};

[[nodiscard]] std::unique_ptr<Placer> make_placer(Policy policy, const ModelPlanner& planner);

}  // namespace warifu::simulate
