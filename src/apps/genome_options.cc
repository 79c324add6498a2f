// The options of `warifu genome`.
#include "apps/command_line.h"
#include "apps/genome_cmd.h"

namespace warifu::apps {
namespace {

void add_common(CLI::App* command, Common& common, GenomeOptions& options) {
  command->add_option("file", options.file, "the file")->required();
  command->add_flag("--json", common.json, "print one JSON document");
}

void add_reference(CLI::App* command, GenomeOptions& options) {
  command->add_option("--reference", options.reference,
                      "FASTA with its .fai, for a CRAM that does not hold its reference");
  command->add_option("--threads", options.threads, "of the process that reads the file");
}

void add_out(CLI::App* command, GenomeOptions& options) {
  command->add_option("--out", options.out, "a new file")->required();
}

void cut_command(CLI::App& genome, Common& common, Action& action, GenomeOptions& options) {
  auto* command =
      add(genome, "cut", "exactly the records of some regions, scrubbed, as a whole file",
          "warifu genome cut person.cram --region 20:31022000-31030000 \\\n"
          "      --reference chr20.fa --out gene.bam\n"
          "  warifu genome cut calls.vcf.gz --bed panel.bed --out panel.bcf");
  add_common(command, common, options);
  add_reference(command, options);
  add_out(command, options);
  command->add_option(
      "--region", options.regions,
      "NAME, NAME:START-END (1-based, both ends in it), * for reads without a place");
  command->add_option("--bed", options.bed, "file of regions: NAME, START (0-based), END");
  command->add_option("--index", options.index, "default: the one beside the file");
  command->add_option("--format", options.format,
                      "bam, cram (holds its reference), vcf, vcf.gz, bcf; default: by --out");
  command->add_flag("--header-only", options.header_only, "no records");
  auto* fields = command->add_option("--fields", options.fields, "only these, as QNAME,FLAG,POS");
  auto* tags = command->add_option("--tags", options.tags, "only these tags, as RG,NM");
  command->add_option("--notags", options.notags, "without these tags");
  command->add_flag("--keep-mates", options.keep_mates,
                    "leave positions of mates outside the regions in the records");
  command->add_flag("--keep-header", options.keep_header,
                    "leave names, command lines, paths and comments in the header");
  command->add_option("--sample", options.sample, "the name that replaces the samples' names");
  command->callback([&common, &action, &options, fields, tags] {
    options.has_fields = fields->count() > 0;
    options.has_tags = tags->count() > 0;
    action = [&] { return genome_cut(common, options); };
  });
}

void crypt4gh_commands(CLI::App& genome, Common& common, Action& action, GenomeOptions& options) {
  auto* command = add(genome, "decrypt", "a Crypt4GH file with its reader's key",
                      "warifu genome decrypt person.cram.c4gh --key-file lab.sec --out person.cram");
  add_common(command, common, options);
  add_out(command, options);
  command->add_option("--key-file", options.key, "the reader's private key file")->required();
  command->add_option("--passphrase-file", options.passphrase_file,
                      "of the key, - for standard input; without it you are asked");
  command->callback([&] { action = [&] { return genome_decrypt(common, options); }; });

  command = add(genome, "encrypt", "a Crypt4GH file for a grantee's key (not quantum-safe)",
                "warifu genome encrypt gene.bam --key-file grantee.pub --out gene.bam.c4gh");
  add_common(command, common, options);
  add_out(command, options);
  command->add_option("--key-file", options.key, "the grantee's public key file")->required();
  command->callback([&] { action = [&] { return genome_encrypt(common, options); }; });
}

}  // namespace

void genome_commands(CLI::App& app, Common& common, Action& action) {
  static GenomeOptions options;
  CLI::App* genome =
      app.add_subcommand("genome", "genome files on this machine: look, index, slice, cut, check");
  genome->require_subcommand(1);
  auto* command = add(*genome, "inspect", "format, references, read groups, order, records",
                      "warifu genome inspect person.cram --json");
  add_common(command, common, options);
  command->callback([&] { action = [&] { return genome_inspect(common, options); }; });

  command = add(*genome, "index", "make the index of a CRAM, BAM, VCF.gz or BCF",
                "warifu genome index person.cram");
  add_common(command, common, options);
  command->add_option("--out", options.out, "default: FILE.crai, .bai, .tbi or .csi");
  command->add_flag("--csi", options.csi, "a .csi of a BAM or VCF.gz");
  command->callback([&] { action = [&] { return genome_index(common, options); }; });

  command = add(*genome, "reslice", "the same records in small slices, proven equal",
                "warifu genome reslice person.cram --reads-per-slice 1000 \\\n"
                "      --reference GRCh38.fa --out person.1000.cram");
  add_common(command, common, options);
  add_reference(command, options);
  add_out(command, options);
  command->add_option("--reads-per-slice", options.reads_per_slice, "50 to 100000");
  command->callback([&] { action = [&] { return genome_reslice(common, options); }; });

  cut_command(*genome, common, action, options);

  command = add(*genome, "check", "decode all records; hold the index against a computed one",
                "warifu genome check person.cram --reference GRCh38.fa");
  add_common(command, common, options);
  add_reference(command, options);
  command->add_option("--index", options.index, "default: the one beside the file");
  command->callback([&] { action = [&] { return genome_check(common, options); }; });

  crypt4gh_commands(*genome, common, action, options);
}

}  // namespace warifu::apps
