// What people are called, beside their numbers; the number alone for those who may not see names.
import { useGet } from "../../lib/load";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";

export function useNames(): (person: string) => string {
  const who = useStore(session);
  const may_look = who?.is_controller && may(who, ["biobank", "hospital", "officer"]);
  const people = useGet<{ persons: { person: string; name: string }[] }>(may_look ? "/v1/persons" : null);
  return (person) => {
    const found = people.value?.persons.find((one) => one.person === person);
    return found?.name ? `${found.name} (${person})` : person;
  };
}
