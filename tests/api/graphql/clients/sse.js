import { createClient } from "graphql-sse";
import { CHANGES, ONE, PAGE, SAVE, tell, toTheEnd, uid, url } from "./asked.js";

const client = createClient({ url, retryAttempts: 0 });
const once = async (query, variables) => {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw errors[0];
    return data;
  }
};
const uids = await toTheEnd((variables) => once(PAGE, variables));
const cached = (await once(ONE, { uid })).study.studyDescription;
const saved = (await once(SAVE, { name: "sse" })).saveCohort.name;
let since = (await once("{ changesCursor }")).changesCursor;
tell({ uids, cached, saved });
while (true) {
  try {
    for await (const { data, errors } of client.iterate({ query: CHANGES, variables: { since } })) {
      if (errors) throw errors;
      tell(data.studyChanged);
      since = data.studyChanged.cursor;
    }
  } catch (problem) {
    const code = [problem].flat()[0]?.extensions?.code;
    if (code && code !== "GOING_AWAY" && code !== "SLOW_CONSUMER") throw problem;
  }
  await new Promise((goOn) => setTimeout(goOn, 100));
}
