// The list of measurements.
#include "bench_kernels/bench_kernels.h"
#include "measure/channel_figures.h"
#include "measure/local_figures.h"
#include "measure/network_figures.h"

namespace warifu::measure {
namespace {

Result<std::vector<Figure>> kernel(const Settings& settings, std::string_view name) {
  bench_kernels::MeasureOptions options;
  if (settings.quick) {
    options.stream_bytes = 8U << 20;
    options.rounds = 3;
  }
  std::vector<Figure> figures;
  for (const auto& measured : bench_kernels::measure_kernels(
           [&](std::string_view each) { return each == name; }, options)) {
    figures.push_back({.name = measured.name,
                       .value = measured.bytes_per_second / 1e9,
                       .unit = "GB/s",
                       .ratio = measured.ratio,
                       .against = measured.against,
                       .goal = measured.goal,
                       .note = settings.quick ? "streams of 8 MiB: caches help" : ""});
  }
  if (figures.empty()) {
    Figure figure;
    figure.name = name;
    figure.measured = false;
    figure.note = "not on this machine: too little memory, or one processor";
    figures.push_back(figure);
  }
  return figures;
}

}  // namespace

std::vector<Measurement> all_measurements() {
  std::vector<Measurement> all;
  for (const std::string_view name : bench_kernels::kernel_names()) {
    all.push_back({std::string(name), "kernel, memory to memory, one core", false,
                   [name](const Settings& settings) { return kernel(settings, name); }});
  }
  all.push_back({"split_vs_gfsplit", "512 MiB to three share files on tmpfs, wall and user CPU",
                 false, split_vs_gfsplit});
  all.push_back({"combine_vs_gfcombine", "512 MiB from two share files on tmpfs", false,
                 combine_vs_gfcombine});
  all.push_back({"otp_channel_vs_scp", "one share between two sites on loopback, against scp",
                 false, otp_channel_vs_scp});
  all.push_back({"six_site_store_2g", "2 GiB over six sites with key beforehand, and memory", true,
                 six_site_store});
  all.push_back({"store_4g", "4 GB over six sites, key arriving while the job runs", true,
                 store_with_arriving_key});
  all.push_back(
      {"split_16g", "16 GB to share files on disk and back from each pair", true, split_16g});
  return all;
}

}  // namespace warifu::measure
