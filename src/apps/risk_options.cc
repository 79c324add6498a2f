// The command lines of `warifu genes` and `warifu risk`.
#include "apps/command_line.h"
#include "apps/risk_cmd.h"

namespace warifu::apps {
namespace {

void add_output(CLI::App* command, Common& common, RiskOptions& options) {
  if (command->get_option_no_throw("--json") == nullptr) {
    command->add_flag("--json", common.json, "print one JSON document");
  }
  command->add_option("--lang", options.lang, "language of texts and limits: en or ja");
}

// What is computed at a site, under a person's consent, instead of on a file here.
void add_grant(CLI::App* command, Common& common, RiskOptions& options) {
  add_site(command, common, SiteNeed::kSometimes);
  command->add_option("--grant", options.grant, "at the site, under this consent; takes a use");
}

void add_score(CLI::App* command, RiskOptions& options) {
  command->add_option("--score", options.score, "scoring file of the PGS Catalog, plain or gzip");
  command->add_option("--build", options.build, "its assembly, where it does not say it");
}

void add_counts(CLI::App* command, RiskOptions& options) {
  command->add_option("--genome", options.genome, "BAM or CRAM to read the score's sites from");
  command->add_option("--fasta", options.fasta, "its assembly (with .fai), for CRAM that needs it");
  command->add_option("--pileup", options.pileup,
                      "what samtools mpileup -s says of the score's sites");
  command
      ->add_option("--mapping-quality", options.mapping_quality,
                   "of all reads, where the pileup has no column for it")
      ->check(CLI::Range(0, 60));
  command
      ->add_option("--min-coverage", options.min_coverage,
                   "part of the sites that must be confident, or no score is given")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--min-depth", options.min_depth, "reads that a confident genotype needs")
      ->check(CLI::Range(1, 10000));
  command->add_flag("--leave-out-ambiguous", options.leave_out_ambiguous,
                    "sites whose strand cannot be checked (A/T, C/G) count as missing");
}

void add_fhir(CLI::App* command, RiskOptions& options, const char* what) {
  command->add_flag("--fhir", options.fhir, what);
  command->add_option("--person", options.person, "whom the FHIR document is about");
}

void genes_command(CLI::App& app, Common& common, Action& action) {
  static GenesOptions options;
  auto* command = add(app, "genes", "where genes lie, from the table in the program",
                      "warifu genes BRCA1 BRCA2 --build GRCh37\n"
                      "  warifu genes --panel breast --panels my-panels.txt --regions");
  command->add_option("names", options.names, "symbols or aliases; none: what the table is");
  command->add_option("--build", options.build, "GRCh38 or GRCh37");
  command->add_option("--panels", options.panels, "file of your own panels");
  command->add_option("--panel", options.panel, "every gene of this panel of the file");
  command->add_flag("--regions", options.regions,
                    "one a line, as --region of a consent takes them");
  command->add_flag("--no-chr", options.bare, "17 instead of chr17");
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return genes(common, options); }; });
}

}  // namespace

void risk_commands(CLI::App& app, Common& common, Action& action) {
  genes_command(app, common, action);
  static RiskOptions score, absolute, meter;
  CLI::App* risk = app.add_subcommand("risk", "scores and risks on values; for research only");
  risk->require_subcommand(1);
  auto* command =
      add(*risk, "score", "a polygenic score out of base counts at its sites",
          "warifu risk score --score PGS000802_hmPOS_GRCh38.txt.gz --genome part.cram\n"
          "  warifu risk score --score PGS000802_hmPOS_GRCh38.txt.gz --sites > sites.txt\n"
          "  samtools mpileup -s -q 20 -Q 13 -l sites.txt part.cram > counts.txt\n"
          "  warifu risk score --score PGS000802_hmPOS_GRCh38.txt.gz --pileup counts.txt");
  add_score(command, score);
  command->get_option("--score")->required();
  add_counts(command, score);
  command->add_flag("--sites", score.sites, "print the sites that are needed, and nothing else");
  command->add_flag("--no-chr", score.bare, "with --sites: 17 instead of chr17");
  command->add_flag("--genotypes", score.genotypes, "with --json: every site's genotype too");
  add_fhir(command, score, "a FHIR R4 Observation instead");
  add_grant(command, common, score);
  command->add_option("--use", score.uses, "with --grant: what the use is, stated to the sites");
  add_output(command, common, score);
  command->callback([&] { action = [&] { return risk_score(common, score); }; });

  command = add(*risk, "absolute", "the risk of a disease by age, by the iCARE model",
                "warifu risk absolute --questions\n"
                "  warifu risk absolute --answers me.json --from 50 --to 70 --svg risk.svg");
  command->add_option("--answers", absolute.answers, "JSON file: a name and its answer each");
  command->add_option("--from", absolute.from, "free of the disease at this age");
  command->add_option("--to", absolute.to, "risk by this age");
  command->add_option("--model", absolute.model, "file of another model; default: breast cancer");
  command->add_flag("--questions", absolute.questions, "what the model asks");
  command->add_option("--svg", absolute.svg, "write the curve by age to this file");
  add_score(command, absolute);
  add_counts(command, absolute);
  add_fhir(command, absolute, "a FHIR R4 RiskAssessment instead");
  add_grant(command, common, absolute);
  command->add_flag("--with-score", absolute.with_score,
                    "with --grant: include the score that the site has kept");
  add_output(command, common, absolute);
  command->callback([&] { action = [&] { return risk_absolute(common, absolute); }; });

  static RiskOptions documents;
  command = add(*risk, "fhir", "a consent with its score, risk and log as a FHIR R4 Bundle",
                "warifu risk fhir --grant GRANT --site S > bundle.json");
  add_site(command, common);
  command->add_option("--grant", documents.grant, "id of the consent")->required();
  add_output(command, common, documents);
  command->callback([&] { action = [&] { return risk_fhir(common, documents); }; });

  command = add(*risk, "meter", "would it identify the person, by Japan's threshold",
                "warifu risk meter --region gene:BRCA1 --region GRCh38:chr20:1-500000\n"
                "  warifu risk meter --score PGS000001.txt --had gene:BRCA2 --lang ja");
  command->add_option("--region", meter.regions, "granted: as of a consent, gene:NAME or score:FILE; again");
  command->add_option("--had", meter.had, "what the recipient has already; again");
  command->add_flag("--whole", meter.whole, "granted: the whole genome");
  add_score(command, meter);
  add_output(command, common, meter);
  command->callback([&] { action = [&] { return risk_meter(common, meter); }; });
}

}  // namespace warifu::apps
