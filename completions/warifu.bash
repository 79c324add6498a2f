# bash completion for warifu: source this file, or install it as
# /usr/share/bash-completion/completions/warifu (docs/cli.md).
#
# Commands, options and the values that an option may have are read from the program's own --help,
# so they are always those of the program that is being typed. Only what help does not say in a
# fixed form stands here: which options name files, and a few words.

# _warifu_words_of <heading> <help text>: the first words of the lines under that heading.
_warifu_words_of() {
  awk -v heading="$1:" '
    $0 == heading { inside = 1; next }
    inside && /^[^ ]/ { exit }
    inside && /^  [^ ]/ { print $1 }' <<<"$2"
}

# Long options of a help text; those for another machine stand under a heading of their own.
_warifu_options_of() {
  sed -nE 's/^  (-[a-z],)?(--[a-z-]+).*/\2/p' <<<"$1"
}

# _warifu_values_of <option> <help text>: the words between braces, as in --direction TEXT:{send,receive}.
_warifu_values_of() {
  sed -nE "s/^  $1 TEXT:\{([a-z,]+)\}.*/\1/p" <<<"$2" | tr ',' ' '
}

# Names of the processes in the network that the line, or WARIFU_NET, names.
_warifu_processes() {
  local net=${WARIFU_NET:-} i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ ${COMP_WORDS[i]} == --net ]]; then net=${COMP_WORDS[i + 1]}; fi
  done
  [[ -r $net/network.toml ]] && sed -n 's/^name = "\(.*\)"$/\1/p' "$net/network.toml"
}

_warifu_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_warifu_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

# Completes the value of the option before the cursor. Fails when that option takes none.
_warifu_value() {
  local option=$1 command=$2 help=$3 values
  values=$(_warifu_values_of "$option" "$help")
  if [[ -n $values ]]; then
    _warifu_words "$values"
    return
  fi
  grep -qE -- "^  $option (TEXT|UINT|INT|FLOAT)" <<<"$help" || return 1
  case $option in
    --site | --net | --dir | --disk | --module-files) _warifu_files -d ;;
    --out)
      if [[ $command == @(restore|combine|genome*|"stream read") ]]; then _warifu_files -f; else _warifu_files -d; fi
      ;;
    --authority)
      if [[ $command == "operator make-cert" ]]; then _warifu_files -d; else _warifu_files -f; fi
      ;;
    --index)
      if [[ $command == @(consent*|request*) ]]; then return 0; fi
      _warifu_files -f
      ;;
    --config | --card | --cert | --cert-key | --ca | --module | --record | --random | --network | --html | --score | \
      --genome | --fasta | --pileup | --answers | --model | --svg | --panels | --reference | --bed | --check | --fhir | \
      --path | --socket | --authority-*) _warifu_files -f ;;
    *-file) _warifu_files -f ;;
    --json) _warifu_files -f ;;
    --policies) _warifu_words "vaults nearest residual price" ;;
    --purpose) _warifu_words "health research medicine" ;;
    --capacity) _warifu_words "own proxy guardian" ;;
    --card-type) _warifu_words "one-time desfire jpki pkcs11" ;;
    --priority) _warifu_words "low usual urgent" ;;
    --state) _warifu_words "waiting_key running paused done failed cancelled" ;;
    --direction) _warifu_words "send receive" ;;
    --lang) _warifu_words "en ja" ;;
    --build) _warifu_words "GRCh38 GRCh37" ;;
    --format) _warifu_words "bam cram vcf vcf.gz bcf" ;;
    --kind) _warifu_words "kernel cpu device file" ;;
    --origin)
      if [[ $command == random* ]]; then _warifu_words "hardware preshared"; fi
      ;;
    --random-origin) _warifu_words "hardware simulated_clicks rate_model preshared relayed kernel_generator cpu_rdseed" ;;
    --only)
      if [[ $command == net* ]]; then _warifu_words "$(_warifu_processes)"; fi
      ;;
  esac
  return 0
}

_warifu() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local program=${COMP_WORDS[0]} command="" help word i only=0
  program=${program/#\~/$HOME}
  COMPREPLY=()
  help=$("$program" --help 2>/dev/null) || return 0
  # The words of the command come first, then its options.
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if ((i == 1)) || [[ ${command##* } == "${COMP_WORDS[i - 1]}" ]]; then
      if [[ $word != -* ]] && _warifu_words_of Subcommands "$help" | grep -qxF -- "$word"; then
        command+="${command:+ }$word"
        # shellcheck disable=SC2086  # the words of the command, one by one
        help=$("$program" $command --help 2>/dev/null) || return 0
      fi
    fi
    if [[ $word == --only ]]; then only=1; elif [[ $word == -* ]]; then only=0; fi
  done

  if [[ $previous == --* ]] && _warifu_value "$previous" "$command" "$help"; then
    return 0
  fi
  if [[ $current == -* ]]; then
    _warifu_words "$(_warifu_options_of "$help")"
  elif ((only)) && [[ $command == net* ]]; then
    _warifu_words "$(_warifu_processes)"
  elif grep -qx 'Subcommands:' <<<"$help"; then
    _warifu_words "$(_warifu_words_of Subcommands "$help")"
  elif _warifu_words_of Positionals "$help" | grep -qxE 'file|shares'; then
    _warifu_files -f
  elif [[ $command == "keys use" ]]; then
    _warifu_words "key random default on off"
  elif [[ $command == "random use" ]]; then
    _warifu_words "pool pool-or-kernel kernel default"
  elif [[ $command == "job priority" ]]; then
    _warifu_words "low usual urgent"
  else
    _warifu_words "$(_warifu_options_of "$help")"
  fi
}

complete -F _warifu warifu
