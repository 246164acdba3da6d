import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { NOPE, ONE, PAGE, SAVE, tell, toTheEnd, uid, url } from "./asked.js";

const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) });
const query = async (text, variables, fetchPolicy) =>
  (await client.query({ query: gql(text), variables, fetchPolicy })).data;
const uids = await toTheEnd((variables) => query(PAGE, variables));
const { study } = await query(ONE, { uid });
// by the id of the node, which lists have filled too
const again = client.cache.readFragment({
  id: client.cache.identify({ __typename: "Study", id: study.id }),
  fragment: gql("fragment F on Study { studyInstanceUid studyDescription }"),
});
const saved = (await client.mutate({ mutation: gql(SAVE), variables: { name: "apollo" } })).data.saveCohort.name;
const refused = await query(NOPE).catch((error) =>
  CombinedGraphQLErrors.is(error) ? error.errors.map((each) => each.extensions.code) : String(error),
);
tell({ uids, cached: again.studyInstanceUid === uid && again.studyDescription, saved, refused });
