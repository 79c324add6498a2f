// Rows and columns for Clp. Columns: T, then the flow of each origin over each direction. Rows are
// gathered first and handed over in one call, which is what Clp is quick with.
#include "simulate/flow_bound.h"

#include <coin/Clp_C_Interface.h>
#include <fmt/format.h>

#include <limits>

namespace warifu::simulate {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::max();  // as Clp writes it
constexpr int kTotal = 0;                                          // the column of T
constexpr int kNoColumn = -1;

}  // namespace

struct FlowProblem::Solver {
  Solver(const ModelNetwork& model, std::uint64_t share, ExposureRule exposure, Directions pools)
      : network(model),
        share_bytes(static_cast<double>(share)),
        rule(exposure),
        directions(pools),
        problem(Clp_newModel(), &Clp_deleteModel) {}

  // One row: its columns and their factors.
  struct Row {
    std::vector<int> columns;
    std::vector<double> factors;
    void add(int column, double factor) {
      columns.push_back(column);
      factors.push_back(factor);
    }
  };
  // The number of the row.
  std::size_t add(const Row& row, double least, double most) {
    columns.insert(columns.end(), row.columns.begin(), row.columns.end());
    factors.insert(factors.end(), row.factors.begin(), row.factors.end());
    starts.push_back(static_cast<int>(columns.size()));
    lower.push_back(least);
    upper.push_back(most);
    return upper.size() - 1;
  }

  // Where a direction begins and ends.
  [[nodiscard]] std::size_t from(std::size_t direction) const {
    const ModelLink& link = network.links[direction / 2];
    return direction % 2 == 0 ? link.a : link.b;
  }
  [[nodiscard]] std::size_t to(std::size_t direction) const { return from(direction ^ 1U); }

  void build() {
    key_rows.resize(network.links.size() * (directions == Directions::kShared ? 1 : 2));
    const auto demand = network.demand();
    for (std::size_t origin = 0; origin < demand.size(); ++origin) {
      if (demand[origin] > 0) add_origin(origin, demand[origin]);
    }
    for (const Row& row : key_rows) key_numbers.push_back(add(row, -kUnbounded, 0));

    Clp_setLogLevel(problem.get(), 0);
    // Columns as they are made here: no less than 0, no upper limit, worth nothing.
    Clp_resize(problem.get(), 0, column_count);
    std::vector<double> worth(static_cast<std::size_t>(column_count), 0);
    worth[kTotal] = 1;
    Clp_chgObjCoefficients(problem.get(), worth.data());
    Clp_setOptimizationDirection(problem.get(), -1);  // the most
    Clp_addRows(problem.get(), static_cast<int>(upper.size()), lower.data(), upper.data(),
                starts.data(), columns.data(), factors.data());
  }

  void add_origin(std::size_t origin, double demand) {
    const std::size_t count = network.links.size() * 2;
    const std::size_t sites = network.sites.size();
    std::vector<int> column_of(count, kNoColumn);  // none back to the origin
    for (std::size_t direction = 0; direction < count; ++direction) {
      if (to(direction) == origin) continue;
      column_of[direction] = column_count++;
      key_rows[directions == Directions::kShared ? direction / 2 : direction].add(
          column_of[direction], 1);
    }
    std::vector<Row> inflow(sites), stays(sites);
    Row out, region;
    for (std::size_t direction = 0; direction < count; ++direction) {
      const int column = column_of[direction];
      if (column == kNoColumn) continue;
      inflow[to(direction)].add(column, 1);
      stays[to(direction)].add(column, 1);
      if (from(direction) == origin) {
        out.add(column, 1);
      } else {
        stays[from(direction)].add(column, -1);
      }
    }
    out.add(kTotal, -2 * demand);
    add(out, 0, 0);
    for (std::size_t site = 0; site < sites; ++site) {
      if (site == origin) continue;
      if (network.regions.size() > 1 &&
          network.sites[site].region == network.sites[origin].region) {
        add_to(region, stays[site]);
      }
      add(stays[site], 0, kUnbounded);
      // With "disjoint" nothing more than d_o T comes in, so nothing more stays.
      Row& limited = rule == ExposureRule::kOn ? inflow[site] : stays[site];
      limited.add(kTotal, -demand);
      add(limited, -kUnbounded, 0);
    }
    region.add(kTotal, -demand);
    add(region, -kUnbounded, 0);
  }

  // Factors of one column add up: Clp takes each column once.
  static void add_to(Row& sum, const Row& row) {
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
      std::size_t at = 0;
      while (at < sum.columns.size() && sum.columns[at] != row.columns[i]) ++at;
      if (at == sum.columns.size()) {
        sum.add(row.columns[i], row.factors[i]);
      } else {
        sum.factors[at] += row.factors[i];
      }
    }
  }

  void set_rate(std::size_t link, double bits_per_second) {
    const double shares = bits_per_second / 8 * kSecondsPerDay / share_bytes;
    if (directions == Directions::kShared) {
      upper[key_numbers[link]] = shares;
      return;
    }
    for (const std::size_t direction : {2 * link, 2 * link + 1}) {
      upper[key_numbers[direction]] = shares / 2;
    }
  }

  const ModelNetwork& network;
  double share_bytes;
  ExposureRule rule;
  Directions directions;
  std::unique_ptr<Clp_Simplex, decltype(&Clp_deleteModel)> problem;
  int column_count = kTotal + 1;
  // All rows, one behind the other; `starts` has one more, the end.
  std::vector<int> starts = {0}, columns;
  std::vector<double> factors, lower, upper;
  std::vector<Row> key_rows;
  std::vector<std::size_t> key_numbers;
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
  Clp_Simplex* problem = solver_->problem.get();
  Clp_chgRowUpper(problem, solver_->upper.data());
  Clp_primal(problem, 0);
  if (Clp_status(problem) != 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("the linear program of network '{}' has no optimum (status {})",
                            solver_->network.name, Clp_status(problem)));
  }
  FlowBound bound{.persons_per_day = Clp_objectiveValue(problem), .shadow_price = {}};
  const double* duals = Clp_dualRowSolution(problem);
  const bool shared = solver_->directions == Directions::kShared;
  for (std::size_t link = 0; link < solver_->network.links.size(); ++link) {
    const auto dual = [&](std::size_t row) { return duals[solver_->key_numbers[row]]; };
    bound.shadow_price.push_back(shared ? dual(link) : (dual(2 * link) + dual(2 * link + 1)) / 2);
  }
  return bound;
}

}  // namespace warifu::simulate
