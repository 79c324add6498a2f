#!/usr/bin/env bash
# Test of warifu-make-cram, $1: properties of a small file, sameness for a seed whatever the
# threads, the size bounds, and what happens on bad input and on failing writes.
set -uo pipefail

[[ $# -eq 1 && -x $1 ]] || { echo "usage: make_cram_test.sh PATH_OF_WARIFU_MAKE_CRAM" >&2; exit 1; }
readonly tool=$1
readonly here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export REF_PATH=/none REF_CACHE=/none  # no reference from the network
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

check() {  # check DESCRIPTION COMMAND...
  local what=$1
  shift
  if "$@"; then echo "ok    $what"; else echo "FAIL  $what"; failures=$((failures + 1)); fi
}

count() { samtools view -c -T "$ref" "$@"; }
records() { samtools view --no-PG -h -T "$ref" "$1" | md5sum; }
same_records() { [[ $(records "$1") == "$(records "$2")" ]]; }
different_records() { ! same_records "$1" "$2"; }
no_partials() { ! compgen -G "$work/*.partial*" > /dev/null; }

within() {  # within FILE BYTES: at least BYTES and at most 8 % more
  local size
  size=$(stat -c %s "$1") || return 1
  ((size >= $2 && size * 100 <= $2 * 108))
}

sorted() {
  samtools view -T "$ref" "$1" | awk '$4 < last { exit 1 } { last = $4 }'
}

# refuses EXIT_CODE TEXT ARGUMENTS...: fails with that code, says that text, leaves no output.
refuses() {
  local code=$1 text=$2 message status
  shift 2
  message=$("$tool" "$@" 2>&1)
  status=$?
  [[ $status -eq $code && $message == *"$text"* ]] || { echo "      $status: $message"; return 1; }
  [[ ! -e $work/bad.cram && ! -e $work/bad.cram.crai ]] && no_partials
}

write_failure() {  # THREADS: a file size limit makes writes fail as a full disk does
  (ulimit -f 1000 && refuses 1 "$work/bad.cram.partial: writing failed after" \
    --ref "$ref" --out "$work/bad.cram" --coverage 8 --region 20:1000001-2000000 --threads "$1")
}

interrupted() {
  "$tool" --ref "$ref" --out "$work/bad.cram" --coverage 500 2> "$work/message" &
  local pid=$! status
  sleep 2
  kill -TERM "$pid"
  wait "$pid"
  status=$?
  [[ $status -eq 1 && $(< "$work/message") == *interrupted* && ! -e $work/bad.cram ]] && no_partials
}

test_content() {
  local made=$work/one.cram
  check "makes 4 MB" "$tool" --ref "$ref" --out "$made" --size 4M --seed 7 --sites "$work/one.vcf"
  check "size within bounds" within "$made" $((4 << 20))
  check "quickcheck" samtools quickcheck -v "$made"
  check "is CRAM 3.0" [ "$(head -c 6 "$made" | od -An -tx1 | tr -d ' ')" = 4352414d0300 ]
  check "has reads" [ "$(count "$made")" -gt 1000 ]
  check "is sorted" sorted "$made"
  check "all reads are proper pairs" \
    [ "$(count -f 2 "$made")" = "$(count "$made")" ]
  check "has the M5 of chromosome 20" \
    grep -q "M5:0dec9660ec1efaaf33281c0d5ea2560f" <(samtools view -H "$made")
  check "header holds no path" [ -z "$(samtools view --no-PG -H "$made" | grep /)" ]
  check "truth lists variants" [ "$(grep -vc '^#' "$work/one.vcf")" -gt 100 ]
  check "reads a region by the index" [ "$(count "$made" 20:100000-101000)" -gt 10 ]
  samtools index -o "$work/other.crai" "$made"
  check "index is that of samtools" cmp -s <(zcat "$made.crai") <(zcat "$work/other.crai")
}

test_determinism() {
  "$tool" --ref "$ref" --out "$work/two.cram" --size 4M --seed 7 --threads 3
  "$tool" --ref "$ref" --out "$work/three.cram" --size 4M --seed 8
  check "same seed, other threads, same records" same_records "$work/one.cram" "$work/two.cram"
  check "other seed, other records" different_records "$work/one.cram" "$work/three.cram"
  check "makes 300000 bytes" "$tool" --ref "$ref" --out "$work/four.cram" --size 300000
  check "small size within bounds" within "$work/four.cram" 300000
  check "makes 6 MB of 20 kb" "$tool" --ref "$ref" --out "$work/five.cram" --size 6M \
    --region 20:5000001-5020000 --threads 2
  check "deep size within bounds" within "$work/five.cram" $((6 << 20))
}

test_refusals() {
  local bad=(--out "$work/bad.cram") good=(--ref "$ref" --out "$work/bad.cram")
  check "missing reference" refuses 1 "$work/no.fa: no such file" \
    --ref "$work/no.fa" "${bad[@]}" --size 4M
  check "unwritable output" refuses 1 "$work/no/x.cram" \
    --ref "$ref" --out "$work/no/x.cram" --size 4M
  check "output is a directory" refuses 1 "not a regular file" --ref "$ref" --out "$work" --size 4M
  check "output is the reference" refuses 1 "reference itself" --ref "$ref" --out "$ref" --size 4M
  check "bad size" refuses 2 '--size "4Q"' "${good[@]}" --size 4Q
  check "negative size" refuses 2 '--size "-4M"' "${good[@]}" --size -4M
  check "size too small" refuses 2 'smallest is 64K' "${good[@]}" --size 1K
  check "no size or coverage" refuses 2 "exactly one of" "${good[@]}"
  check "size and coverage" refuses 2 "exactly one of" "${good[@]}" --size 4M --coverage 3
  check "bad coverage" refuses 2 '--coverage "many"' "${good[@]}" --coverage many
  check "unknown sequence" refuses 1 '"21:1-9000"' "${good[@]}" --size 4M --region 21:1-9000
  check "region behind the end" refuses 1 "63025520" "${good[@]}" --size 4M --region 20:1-90000000
  check "region of unknown bases" refuses 1 "no stretch" "${good[@]}" --size 4M --region 20:1-50000
  check "unwritable sites" refuses 1 "$work/no/s.vcf" "${good[@]}" --size 4M \
    --sites "$work/no/s.vcf"
  check "unknown option" refuses 2 "--wrong" "${good[@]}" --wrong
}

command -v samtools > /dev/null || { echo "FAIL  samtools is missing"; exit 1; }
bash "$here/prepare-reference.sh" "$work/ref" || exit 1
readonly ref=$work/ref/chr20.fa
test_content
test_determinism
test_refusals
check "failing write, one thread" write_failure 1
check "failing write, three threads" write_failure 3
check "interruption" interrupted
check "no partial files are left" no_partials
echo "$failures failures"
[[ $failures -eq 0 ]]
