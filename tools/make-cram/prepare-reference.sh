#!/usr/bin/env bash
# Unpacks GRCh37 chromosome 20 from Debian's vt-examples to DEST_DIR/chr20.fa with its .fai.
# Files appear under their names only when complete and checked, so a second run, a run after an
# interruption and two runs at once are all safe.
set -euo pipefail

readonly SOURCE=/usr/share/doc/vt/examples/ref/20.fa.gz
readonly LENGTH=63025520
readonly M5=0dec9660ec1efaaf33281c0d5ea2560f

die() {
  echo "prepare-reference.sh: $*" >&2
  exit 1
}

[[ $# -eq 1 && -n $1 ]] || die "usage: prepare-reference.sh DEST_DIR"
dest=$1
fasta=$dest/chr20.fa

complete() {
  [[ -s $fasta && -s $fasta.fai ]] || return 1
  # 60 bases a line: the size of a whole file follows from the number of bases.
  local expected=$((4 + LENGTH + (LENGTH + 59) / 60))
  [[ $(stat -c %s "$fasta") -eq $expected ]] || return 1
  [[ $(cut -f 1-2 "$fasta.fai") == $'20\t'"$LENGTH" ]]
}

if complete; then
  echo "$fasta is already there"
  exit 0
fi

command -v samtools > /dev/null || die "samtools is missing: apt-get install samtools"
[[ -r $SOURCE ]] || die "$SOURCE is missing: apt-get install vt-examples"
mkdir -p "$dest" || die "cannot create $dest"
work=$(mktemp -d "$dest/.chr20.XXXXXX") || die "cannot write in $dest"
trap 'rm -rf "$work"' EXIT

gzip -dc "$SOURCE" > "$work/chr20.fa" || die "cannot unpack $SOURCE to $work (disk full?)"
found=$(samtools dict "$work/chr20.fa" | sed -n 's/^@SQ.*\tM5:\([0-9a-f]*\).*/\1/p')
[[ $found == "$M5" ]] || die "$SOURCE has M5 $found, but GRCh37 chromosome 20 has $M5"
samtools faidx "$work/chr20.fa" || die "cannot index $work/chr20.fa"
chmod 644 "$work/chr20.fa" "$work/chr20.fa.fai"
mv -f "$work/chr20.fa" "$fasta"
mv -f "$work/chr20.fa.fai" "$fasta.fai"
complete || die "$fasta is not what it should be after unpacking"
echo "$fasta is ready"
