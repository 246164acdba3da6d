import runtime from "relay-runtime";
import { ONE, PAGE, SAVE, tell, toTheEnd, uid, url } from "./asked.js";

const { Environment, Network, RecordSource, Store, commitMutation, fetchQuery } = runtime;
const fetching = async ({ text, name }, variables) => {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json" },
    body: JSON.stringify({ query: text, variables, operationName: name }),
  });
  return answer.json();
};
const environment = new Environment({ network: Network.create(fetching), store: new Store(new RecordSource()) });

// What relay-compiler would write.
const scalar = (name) => ({ alias: null, args: null, kind: "ScalarField", name, storageKey: null });
const linked = (name, concreteType, args, selections, plural = false) => ({
  alias: null, args, concreteType, kind: "LinkedField", name, plural, selections, storageKey: null,
});
const variable = (name, of = name) => ({ kind: "Variable", name, variableName: of });
const literal = (name, value) => ({ kind: "Literal", name, value });
const artifact = (operationKind, name, text, variables, selections) => {
  const argumentDefinitions = variables.map((each) => ({ defaultValue: null, kind: "LocalArgument", name: each }));
  const type = operationKind === "mutation" ? "Mutation" : "Query";
  return {
    fragment: { argumentDefinitions, kind: "Fragment", metadata: null, name, selections, type, abstractKey: null },
    kind: "Request",
    operation: { argumentDefinitions, kind: "Operation", name, selections },
    params: { cacheID: name, id: null, metadata: {}, name, operationKind, text },
  };
};
const study = [scalar("__typename"), scalar("id"), scalar("studyInstanceUid"), scalar("studyDescription")];
const page = artifact("query", "Page", PAGE, ["after"], [
  linked("studies", "StudyConnection", [variable("after"), literal("first", 2)], [
    scalar("totalCount"),
    linked("pageInfo", "PageInfo", null, [scalar("hasNextPage"), scalar("endCursor")]),
    linked("nodes", "Study", null, study, true),
  ]),
]);
const one = artifact("query", "One", ONE, ["uid"], [
  linked("study", "Study", [variable("studyInstanceUid", "uid")], [study[0], study[1], study[3]]),
]);
const save = artifact("mutation", "Save", SAVE, ["name"], [
  linked("saveCohort", "Cohort", [variable("name"), literal("filter", {})], [scalar("name")]),
]);

const uids = await toTheEnd((variables) => fetchQuery(environment, page, variables).toPromise());
const found = await fetchQuery(environment, one, { uid }).toPromise();
// the store is by id: what the list said of the node and what the other query did are one record
const record = environment.getStore().getSource().get(found.study.id);
const saved = await new Promise((resolve, reject) =>
  commitMutation(environment, {
    mutation: save,
    variables: { name: "relay" },
    onCompleted: (data) => resolve(data.saveCohort.name),
    onError: reject,
  }),
);
tell({ uids, cached: record.studyInstanceUid === uid && record.studyDescription, saved });
