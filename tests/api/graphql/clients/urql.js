import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { NOPE, ONE, PAGE, SAVE, tell, toTheEnd, uid, url } from "./asked.js";

const client = new Client({ url, exchanges: [cacheExchange({}), fetchExchange], preferGetMethod: false });
const data = (result) => {
  if (result.error) throw result.error;
  return result.data;
};
const uids = await toTheEnd(async (variables) => data(await client.query(PAGE, variables)));
const one = data(await client.query(ONE, { uid })).study;
const again = (await client.query(ONE, { uid }, { requestPolicy: "cache-only" })).data.study;
const saved = data(await client.mutation(SAVE, { name: "urql" })).saveCohort.name;
const refused = (await client.query(NOPE, {})).error.graphQLErrors.map((error) => error.extensions.code);
tell({ uids, cached: one.id === again.id && again.studyDescription, saved, refused });
