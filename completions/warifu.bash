# bash completion for warifu: source this file, or install it as
# /usr/share/bash-completion/completions/warifu (docs/cli.md).

# Words of one command, as `warifu COMMAND --help` lists them.
_warifu_options() {
  case $1 in
    "net init") echo "--net --json --rate --preshare --bootstrap --back --base-port --link --relay --region --failure-domain --kms --web --help" ;;
    "net renew") echo "--net --json --preshare --bootstrap --help" ;;
    "net up" | "net down") echo "--net --json --only --help" ;;
    "net status") echo "--net --json --help" ;;
    "site run" | "qkd rate-model") echo "--config --help" ;;
    "operator make-cert") echo "--json --authority --out --server --host --days --help" ;;
    "operator passphrase") echo "--config --passphrase-file --help" ;;
    "operator list" | "operator whoami" | "operator approve" | "operator reject") echo "--site --json --help" ;;
    "web status" | "web code" | "web sessions") echo "--site --json --help" ;;
    "view open") echo "--site --json --grant --as --as-id --use --purpose --region --clip --minutes --token-file --help" ;;
    "view list" | "view end") echo "--site --json --help" ;;
    "web end") echo "--site --json --all --help" ;;
    "operator proposals") echo "--site --json --all --help" ;;
    "site check") echo "--json --config --policy --help" ;;
    "link preshare") echo "--net --json --size --back --out --disk --piece --help" ;;
    "link new") echo "--json --size --back --out --help" ;;
    "link begin") echo "--json --config --replace --keep --help" ;;
    "link import") echo "--site --json --disk --pieces --wipe --wait --no-wait --abandon --peer --help" ;;
    "keys watch") echo "--site --json --interval --rounds --help" ;;
    "keys use") echo "--site --json --link --for key random default on off --help" ;;
    "random use") echo "--site --json --for pool pool-or-kernel kernel default --help" ;;
    "keys list") echo "--site --json --peer --help" ;;
    "keys trail") echo "--site --json --peer --job --since --most --help" ;;
    "keys reconcile") echo "--site --json --peer --yes --help" ;;
    "keys retire") echo "--site --json --peer --older-than --origin --all --yes --help" ;;
    "keys burn") echo "--site --json --peer --bytes --direction --yes --help" ;;
    "keys quarantine") echo "list discard --site --json --peer --direction --segment --yes --help" ;;
    "random import") echo "--site --json --origin --wipe --help" ;;
    "random test") echo "--site --json --source --kind --path --min-entropy --alpha --bytes --help" ;;
    "person enrol") echo "--site --json --id --name --keys --card-type --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "person renew-card") echo "--site --json --at --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "person proxy") echo "add remove --site --json --id --proxy --purpose --object --valid --testamentary --authority --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "person emergency") echo "allow forbid --site --json --id --object --valid --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "person guardians") echo "--site --json --id --name --guardian --needed --of-age --authority --help" ;;
    "person died" | "person lives") echo "--site --json --id --authority --yes --help" ;;
    "person show" | "person accesses") echo "--site --json --id --help" ;;
    "person orders" | "person allow" | "person decline") echo "--site --json --help" ;;
    "consent emergency") echo "--site --json --object --reason --grantee --grantee-id --destination --valid --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "consent join") echo "--site --json --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "consent import") echo "--site --json --fhir --object --uses --capacity --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "enrolment order") echo "--site --json --id --name --again --keys --open --card-type --help" ;;
    "enrolment list" | "enrolment cancel") echo "--site --json --help" ;;
    "card make-blank") echo "--card-type --help" ;;
    "request ask") echo "--site --json --object --person --purpose --grantee --grantee-id --data-use --region --destination --uses --valid --open --note --help" ;;
    "request list") echo "--site --json --person --object --help" ;;
    "request show" | "request cancel") echo "--site --json --help" ;;
    "request refuse") echo "--site --json --why --help" ;;
    "request give") echo "--site --json --index --lang --yes --card --module --token-label --key-id --pin-file --wait --help" ;;
    "kiosk") echo "--site --json --card --module --token-label --key-id --listen --name --idle --address-file --help" ;;
    "consent receipt") echo "--site --json --fhir --provenance --help" ;;
    "consent withdraw") echo "--site --json --help" ;;
    "card readers") echo "--json --help" ;;
    "card show") echo "--json --card --module --token-label --key-id --module-files --wait --help" ;;
    "card top-up") echo "--site --json --keys --lang --yes --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "card jpki") echo "--json --card --wait --help" ;;
    "card make-jpki") echo "--pin-file --signature-pin-file --authority --authority-key --authority-out --help" ;;
    "card emulate") echo "--card --card-type --reader --remove-after --help" ;;
    "genome inspect") echo "--json --help" ;;
    "genome index") echo "--json --out --csi --help" ;;
    "genome reslice") echo "--json --reference --threads --out --reads-per-slice --help" ;;
    "genome cut") echo "--json --reference --threads --out --region --bed --index --format --header-only --fields --tags --notags --keep-mates --keep-header --sample --help" ;;
    "genome check") echo "--json --reference --threads --index --help" ;;
    "genome decrypt") echo "--json --out --key-file --passphrase-file --help" ;;
    "genome encrypt") echo "--json --out --key-file --help" ;;
    "audit list") echo "--site --json --from --limit --help" ;;
    "audit verify") echo "--site --json --help" ;;
    "audit prove") echo "--site --json --check --public-key --help" ;;
    "audit export") echo "--site --json --format jsonl fhir dicom --from --limit --help" ;;
    "audit erase") echo "--site --json --reason --yes --help" ;;
    "catalog allow") echo "--site --json --minutes --revoke --help" ;;
    "catalog rebuild") echo "--site --json --from-shares --no-wait --help" ;;
    "catalog forget") echo "--site --json --yes --help" ;;
    "object store") echo "--site --json --person --label --policy --priority --genome --plain --index --assembly --reslice --reference --no-wait --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "object list") echo "--site --json --person --limit --skip --help" ;;
    "object repair" | "object move") echo "--site --json --share --to --plan --no-wait --help" ;;
    "object refresh")
      echo "--site --json --person --all --dealers --key-after --plan --status --no-wait --help" ;;
    "object audit") echo "--site --json --person --all --help" ;;
    "site scrub") echo "--site --json --now --status --help" ;;
    "object delete") echo "--site --json --yes --no-wait --help" ;;
    "site repair" | "site drain") echo "--site --json --no-wait --help" ;;
    "object card-record") echo "--site --json --card --module --token-label --key-id --module-files --pin-file --wait --help" ;;
    "consent give")
      echo "--site --json --object --purpose --grantee --grantee-id --data-use --region --index --capacity --destination --uses --valid --lang --yes" \
        "--card --module --token-label --key-id --module-files --pin-file --wait --help"
      ;;
    restore)
      echo "--site --json --grant --as --as-id --use --region --format --out --using --gather --purpose --resume --help"
      ;;
    plan) echo "--site --json --size --policy --why --help" ;;
    explain | "keys status" | "site shares" | "site audit" | "link status" | "random status" | "random readmit" | "sae list" | "sae status" | "stream status" | "person list" | "object show" | "object check" | \
      "catalog status" | "catalog copy" | "catalog backup" | "catalog check" | "consent list" | "job priority" | "job show" | "job watch" | "job pause" | "job resume" | "job cancel")
      echo "--site --json --help"
      ;;
    "job list") echo "--site --json --state --limit --skip --help" ;;
    "sae pause" | "sae resume") echo "--site --json --link --help" ;;
    "stream open")
      echo "--site --socket --json --as --to --id --chunk --ttl --timeout --min-rate --max-rate --help"
      ;;
    "stream read") echo "--site --socket --json --as --id --bytes --out --timeout --help" ;;
    "stream close") echo "--site --socket --json --id --help" ;;
    split) echo "--json --out --scheme --random --random-origin --workers --help" ;;
    combine) echo "--json --record --out --workers --help" ;;
    genes) echo "--build --panels --panel --regions --no-chr --json --help" ;;
    "risk score") echo "--score --build --genome --fasta --pileup --sites --no-chr --min-coverage --min-depth --mapping-quality --leave-out-ambiguous --genotypes --fhir --person --grant --use --site --lang --json --help" ;;
    "risk absolute") echo "--questions --answers --from --to --model --svg --score --build --genome --fasta --pileup --min-coverage --min-depth --mapping-quality --leave-out-ambiguous --fhir --person --grant --with-score --site --lang --json --help" ;;
    "risk fhir") echo "--grant --site --lang --json --help" ;;
    "risk meter") echo "--region --had --whole --score --build --lang --json --help" ;;
    simulate)
      echo "--network --print-network --networks --policies --exposure --directions --size --days --seed" \
        "--failures --restores --couriers --json --html --help"
      ;;
    bench) echo "--json --only --list --all --quick --dir --size --help" ;;
    *) echo "--help" ;;
  esac
}

_warifu_subcommands() {
  case $1 in
    "") echo "net site qkd link keys random sae stream audit card person object explain plan request consent enrolment kiosk restore view job catalog operator web genome split combine genes risk bench simulate" ;;
    net) echo "init up down status renew" ;;
    risk) echo "score absolute fhir meter" ;;
    site) echo "run check shares audit scrub repair drain" ;;
    qkd) echo "rate-model" ;;
    link) echo "new begin preshare import status" ;;
    keys) echo "status watch list trail use reconcile retire burn quarantine" ;;
    random) echo "import status test readmit use" ;;
    sae) echo "list status pause resume" ;;
    stream) echo "open read close status" ;;
    audit) echo "list verify prove export erase" ;;
    card) echo "readers show top-up jpki make-jpki emulate make-blank" ;;
    person) echo "enrol renew-card reissue show proxy emergency guardians died lives orders allow decline accesses list" ;;
    object) echo "store list show card-record check audit repair move delete" ;;
    enrolment) echo "order list cancel" ;;
    request) echo "ask list show give refuse cancel" ;;
    consent) echo "give join emergency import list receipt withdraw" ;;
    job) echo "list show watch priority pause resume cancel" ;;
    catalog) echo "status copy allow rebuild forget backup check" ;;
    genome) echo "inspect index reslice cut check decrypt encrypt" ;;
    view) echo "open list end" ;;
    web) echo "status code sessions end" ;;
    operator) echo "list whoami proposals approve reject passphrase make-cert" ;;
  esac
}

# Those of _warifu_options, and what goes with --site everywhere.
_warifu_all_options() {
  local words
  words=$(_warifu_options "$1")
  [[ " $words " == *" --site "* ]] && words+=" --url --cert --cert-key --ca --passphrase-file"
  echo "$words"
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

_warifu() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command="" subcommand="" word i only=0
  COMPREPLY=()
  # The command is the first word, the subcommand the second: options come behind them.
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $i in
      1) [[ $word != -* ]] && command=$word ;;
      2) [[ $word != -* && -n $(_warifu_subcommands "$command") ]] && subcommand=$word ;;
    esac
    if [[ $word == --only ]]; then only=1; elif [[ $word == -* ]]; then only=0; fi
  done

  case $previous in
    --site | --net | --out | --dir | --disk)
      if [[ $previous == --out && $command == @(restore|combine) ]]; then _warifu_files -f; else _warifu_files -d; fi
      return
      ;;
    --config | --card | --pin-file | --cert | --cert-key | --ca | --passphrase-file | --signature-pin-file | --module | --authority | --authority-key | --authority-out | --record | --random | --network | --html | --score | --genome | --fasta | --pileup | --answers | --model | --svg | --panels)
      _warifu_files -f
      return
      ;;
    --json)
      # A flag everywhere else: what comes behind it is completed as ever.
      if [[ $command == simulate ]]; then
        _warifu_files -f
        return
      fi
      ;;
    --policies)
      _warifu_words "vaults nearest residual price"
      return
      ;;
    --exposure)
      _warifu_words "on off both"
      return
      ;;
    --directions)
      _warifu_words "own shared"
      return
      ;;
    --networks | --days | --seed | --failures | --restores | --couriers)
      return
      ;;
    --purpose)
      _warifu_words "health research medicine"
      return
      ;;
    --random-origin)
      _warifu_words "hardware simulated_clicks rate_model preshared relayed"
      return
      ;;
    --priority)
      _warifu_words "low usual urgent"
      return
      ;;
    --state)
      _warifu_words "waiting_key running paused done failed cancelled"
      return
      ;;
    --direction)
      _warifu_words "send receive"
      return
      ;;
    --for)
      if [[ $command == random ]]; then _warifu_words "sharing applications relaying"; else _warifu_words "sharing transport applications"; fi
      return
      ;;
    --lang)
      _warifu_words "en ja"
      return
      ;;
    --rate | --preshare | --bootstrap | --back | --scheme | --workers | --base-port | --link | --relay | --size | --piece | --pieces | --id | --name | --keys | --person | \
      --label | --policy | --object | --grantee | --grantee-id | --data-use | --region | --index | --assembly | --format | --as | --as-id | --use | --destination | --uses | --valid | --grant | --using | \
      --gather | --resume | --at | --minutes | --peer | --job | --since | --most | --interval | --rounds | --older-than | --limit | --skip | \
      --origin | --segment | --url | --host | --days)
      return
      ;;
  esac

  if [[ $current == -* ]]; then
    if [[ -z $command ]]; then
      _warifu_words "--help --version"
    else
      _warifu_words "$(_warifu_all_options "$command${subcommand:+ $subcommand}")"
    fi
  elif ((only)); then
    _warifu_words "$(_warifu_processes)"
  elif [[ -z $command ]]; then
    _warifu_words "$(_warifu_subcommands "")"
  elif [[ -z $subcommand && -n $(_warifu_subcommands "$command") ]]; then
    _warifu_words "$(_warifu_subcommands "$command")"
  elif [[ "$command $subcommand" == "object store" || "$command $subcommand" == "link import" ||
    "$command $subcommand" == "link begin" || "$command $subcommand" == "catalog backup" ||
    "$command $subcommand" == "random import" || $command == genome ]]; then
    _warifu_files -f
  else
    _warifu_words "$(_warifu_all_options "$command${subcommand:+ $subcommand}")"
  fi
}

complete -F _warifu warifu
