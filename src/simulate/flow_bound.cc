// Rows and columns for GLPK. Columns: T, then the flow of each origin over each direction.
#include "simulate/flow_bound.h"

#include <fmt/format.h>
#include <glpk.h>

namespace warifu::simulate {
namespace {

constexpr double kSecondsPerDay = 86'400;

}  // namespace

struct FlowProblem::Solver {
  Solver(const ModelNetwork& model, std::uint64_t share, ExposureRule exposure, Directions pools)
      : network(model),
        share_bytes(static_cast<double>(share)),
        rule(exposure),
        directions(pools),
        problem(glp_create_prob()) {}
  ~Solver() { glp_delete_prob(problem); }
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;

  // One row: its columns and their factors. GLPK counts from 1.
  struct Row {
    std::vector<int> columns = {0};
    std::vector<double> factors = {0};
    void add(int column, double factor) {
      columns.push_back(column);
      factors.push_back(factor);
    }
  };
  int add(const Row& row, int kind, double least, double most) const {
    const int number = glp_add_rows(problem, 1);
    glp_set_mat_row(problem, number, static_cast<int>(row.columns.size()) - 1, row.columns.data(),
                    row.factors.data());
    glp_set_row_bnds(problem, number, kind, least, most);
    return number;
  }

  // Where a direction begins and ends.
  [[nodiscard]] std::size_t from(std::size_t direction) const {
    const ModelLink& link = network.links[direction / 2];
    return direction % 2 == 0 ? link.a : link.b;
  }
  [[nodiscard]] std::size_t to(std::size_t direction) const { return from(direction ^ 1U); }

  void build() {
    glp_set_obj_dir(problem, GLP_MAX);
    total = glp_add_cols(problem, 1);
    glp_set_col_bnds(problem, total, GLP_LO, 0, 0);
    glp_set_obj_coef(problem, total, 1);
    key_rows.resize(network.links.size() * (directions == Directions::kShared ? 1 : 2));
    const auto demand = network.demand();
    for (std::size_t origin = 0; origin < demand.size(); ++origin) {
      if (demand[origin] > 0) add_origin(origin, demand[origin]);
    }
    for (const Row& row : key_rows) key_numbers.push_back(add(row, GLP_UP, 0, 0));
  }

  void add_origin(std::size_t origin, double demand) {
    const std::size_t count = network.links.size() * 2;
    const std::size_t sites = network.sites.size();
    std::vector<int> columns(count, 0);  // none back to the origin
    for (std::size_t direction = 0; direction < count; ++direction) {
      if (to(direction) == origin) continue;
      columns[direction] = glp_add_cols(problem, 1);
      glp_set_col_bnds(problem, columns[direction], GLP_LO, 0, 0);
      key_rows[directions == Directions::kShared ? direction / 2 : direction].add(
          columns[direction], 1);
    }
    std::vector<Row> inflow(sites), stays(sites);
    Row out, region;
    for (std::size_t direction = 0; direction < count; ++direction) {
      if (columns[direction] == 0) continue;
      inflow[to(direction)].add(columns[direction], 1);
      stays[to(direction)].add(columns[direction], 1);
      if (from(direction) == origin) {
        out.add(columns[direction], 1);
      } else {
        stays[from(direction)].add(columns[direction], -1);
      }
    }
    out.add(total, -2 * demand);
    add(out, GLP_FX, 0, 0);
    for (std::size_t site = 0; site < sites; ++site) {
      if (site == origin) continue;
      if (network.regions.size() > 1 &&
          network.sites[site].region == network.sites[origin].region) {
        add_to(region, stays[site]);
      }
      add(stays[site], GLP_LO, 0, 0);
      // With "disjoint" nothing more than d_o T comes in, so nothing more stays.
      Row& limited = rule == ExposureRule::kOn ? inflow[site] : stays[site];
      limited.add(total, -demand);
      add(limited, GLP_UP, 0, 0);
    }
    region.add(total, -demand);
    add(region, GLP_UP, 0, 0);
  }

  // Factors of one column add up: GLPK takes each column once.
  static void add_to(Row& sum, const Row& row) {
    for (std::size_t i = 1; i < row.columns.size(); ++i) {
      std::size_t at = 1;
      while (at < sum.columns.size() && sum.columns[at] != row.columns[i]) ++at;
      if (at == sum.columns.size()) {
        sum.add(row.columns[i], row.factors[i]);
      } else {
        sum.factors[at] += row.factors[i];
      }
    }
  }

  void set_rate(std::size_t link, double bits_per_second) const {
    const double shares = bits_per_second / 8 * kSecondsPerDay / share_bytes;
    if (directions == Directions::kShared) {
      glp_set_row_bnds(problem, key_numbers[link], GLP_UP, 0, shares);
      return;
    }
    for (const std::size_t direction : {2 * link, 2 * link + 1}) {
      glp_set_row_bnds(problem, key_numbers[direction], GLP_UP, 0, shares / 2);
    }
  }

  const ModelNetwork& network;
  double share_bytes;
  ExposureRule rule;
  Directions directions;
  glp_prob* problem;
  int total = 0;
  std::vector<Row> key_rows;
  std::vector<int> key_numbers;
};

FlowProblem::FlowProblem(const ModelNetwork& network, const std::vector<double>& rates,
                         std::uint64_t share_bytes, ExposureRule rule, Directions directions)
    : solver_(std::make_unique<Solver>(network, share_bytes, rule, directions)) {
  solver_->build();
  for (std::size_t link = 0; link < rates.size(); ++link) set_rate(link, rates[link]);
}

FlowProblem::~FlowProblem() = default;

void FlowProblem::set_rate(std::size_t link, double bits_per_second) {
  solver_->set_rate(link, bits_per_second);
}

Result<FlowBound> FlowProblem::solve() {
  glp_smcp parameters;
  glp_init_smcp(&parameters);
  parameters.msg_lev = GLP_MSG_OFF;

  const int code = glp_simplex(solver_->problem, &parameters);
  if (code != 0 || glp_get_status(solver_->problem) != GLP_OPT) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("the linear program of network '{}' has no optimum (code {}, status {})",
                    solver_->network.name, code, glp_get_status(solver_->problem)));
  }
  FlowBound bound{.persons_per_day = glp_get_obj_val(solver_->problem), .shadow_price = {}};
  const bool shared = solver_->directions == Directions::kShared;
  for (std::size_t link = 0; link < solver_->network.links.size(); ++link) {
    const auto dual = [&](std::size_t row) {
      return glp_get_row_dual(solver_->problem, solver_->key_numbers[row]);
    };
    bound.shadow_price.push_back(shared ? dual(link) : (dual(2 * link) + dual(2 * link + 1)) / 2);
  }
  return bound;
}

}  // namespace warifu::simulate
